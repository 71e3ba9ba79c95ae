"""The tutorial, typed in as it stands: a table is added by one file, its test passes, and no other test minds it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
OTHERS = ("medallion_assets_tests/unit/test_definitions.py", "medallion_assets_tests/unit/test_documents.py")
SLOW = "calendar or session or sensors"  # that say nothing of tables, and start processes of their own


def test_the_tutorial_adds_a_table_by_one_file_and_its_test(tmp_path: Path):
    for folder in ("medallion_assets", "medallion_assets_tests", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    typed = re.findall(r"^`(medallion_assets\S*\.py)`:\n\n```python\n(.*?)```", page, re.M | re.S)
    assert [Path(name).name for name, _ in typed] == ["daily_status.py", "test_daily_status.py"]
    for name, code in typed:
        (tmp_path / name).write_text(code)
    test = typed[1][0]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-v",
        "-p",
        "no:cacheprovider",
        "-k",
        f"not ({SLOW})",
        test,
        *OTHERS,
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{test}::test_orders_are_counted_by_day_and_status PASSED" in done.stdout
