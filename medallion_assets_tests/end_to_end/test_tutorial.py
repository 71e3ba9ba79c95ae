"""The tutorial, typed in as it stands: a table is added by one file, its test passes, and no other test minds it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEIGHBOURS = (
    "medallion_assets_tests/unit/test_definitions.py",
    "medallion_assets_tests/unit/test_documents.py",
)


def test_the_tutorial_adds_a_table_by_one_file_and_its_test(tmp_path: Path):
    for folder in ("medallion_assets", "medallion_assets_tests", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    typed = re.findall(r"^`(medallion_assets\S*\.py)`:\n\n```python\n(.*?)```", page, re.M | re.S)
    assert [Path(name).name for name, _ in typed] == ["daily_status.py", "test_daily_status.py"]
    for name, code in typed:
        (tmp_path / name).write_text(code)
    assert "1 passed" in pytest_of(tmp_path, typed[1][0])
    assert " passed" in pytest_of(tmp_path, *NEIGHBOURS)


def pytest_of(folder: Path, *files: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
