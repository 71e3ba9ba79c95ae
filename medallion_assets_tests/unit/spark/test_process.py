"""A process is known by its number and start, and its folder goes when it is gone."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from medallion_assets.lakehouse.spark.process import is_gone, temporary_folder, this_process


def test_a_process_is_gone_when_it_was_killed_or_its_number_is_anothers():
    with subprocess.Popen(["sleep", "60"]) as child:
        started = Path(f"/proc/{child.pid}/stat").read_text().split()[21]
        assert not is_gone(f"{child.pid}-{started}") and not is_gone(this_process())
        assert is_gone(f"{os.getpid()}-1")
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(f"{child.pid}-{started}")  # a zombie, which nobody has asked for yet
    assert is_gone(f"{child.pid}-{started}")
    assert not is_gone("12-") and not is_gone("something else")


def test_folders_of_processes_that_are_gone_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = "from medallion_assets.lakehouse.spark.process import *; print(temporary_folder())"
    done = subprocess.run(
        [sys.executable, "-c", made],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    left = Path(done.stdout.strip())
    (left / "blockmgr-1").mkdir()
    assert left.parent.parent == tmp_path
    folder = temporary_folder.__wrapped__()
    assert not left.exists() and folder.is_dir()
    assert [path.stat().st_mode & 0o777 for path in (folder, folder.parent)] == [0o700, 0o700]
