"""The README's tutorial, typed in as it stands: a table is added by one file, and its test passes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tutorial_adds_a_table_by_one_file_and_its_test(tmp_path: Path):
    for package in ("medallion_assets", "medallion_assets_tests"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    typed = re.findall(
        r"^`(medallion_assets\S*\.py)`:\n\n```python\n(.*?)```", (ROOT / "README.md").read_text(), re.M | re.S
    )
    assert [Path(name).name for name, _ in typed] == ["daily_status.py", "test_daily_status.py"]
    for name, code in typed:
        (tmp_path / name).write_text(code)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", typed[1][0]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
