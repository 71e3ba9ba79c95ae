"""What is installed from the wheel works without the checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def call(where: Path, *command: str | Path) -> str:
    # Neither the checkout's modules nor its Dagster instance: `make test-long` of a fresh clone has none, either.
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "DAGSTER_HOME")
    }
    done = subprocess.run(list(map(str, command)), cwd=where, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
def test_the_wheel_validates_its_definitions_in_an_empty_environment(tmp_path: Path):
    source, venv, elsewhere = tmp_path / "source", tmp_path / "venv", tmp_path / "elsewhere"
    shutil.copytree(
        ROOT / "medallion_assets",
        source / "medallion_assets",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in (
        "pyproject.toml",
        "setup.py",
        "README.md",
        "LICENSE",
    ):  # not build/, whose files would come along
        shutil.copy(ROOT / name, source)
    elsewhere.mkdir()
    pip = (sys.executable, "-m", "pip")
    call(elsewhere, *pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path, source)
    (wheel,) = tmp_path.glob("*.whl")
    call(elsewhere, sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    call(elsewhere, *pip, "--python", python, "install", "-q", "--no-deps", "--no-index", wheel)
    # What the package needs comes from the environment of the tests; its .pth files, and so the checkout, do not.
    packages = Path(
        call(elsewhere, python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    )
    (packages / "needed.pth").write_text(
        f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n"
    )

    installed = packages / "medallion_assets"
    where = call(elsewhere, python, "-c", "import medallion_assets as m; print(m.__path__[0])").strip()
    assert Path(where) == installed
    assert {"py.typed", "log4j2.properties", "report.html", "report.css", "report.js"} <= {
        path.name for path in installed.rglob("*")
    }
    call(elsewhere, python, "-m", "dagster", "definitions", "validate", "-m", "medallion_assets.definitions")
