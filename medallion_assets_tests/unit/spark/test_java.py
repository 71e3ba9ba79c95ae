"""Which Java is taken, and the one line that is said where none can be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from medallion_assets.lakehouse.spark import java


def fake_java(home: Path, version: str) -> Path:
    """A `java` that answers as a real one of that version does, installed in `home`."""
    script = home / "bin" / "java"
    script.parent.mkdir(parents=True)
    script.write_text(
        f"#!/bin/sh\n"
        f'[ "$1" = -XshowSettings:properties ] && echo "    java.home = {home}" >&2\n'
        f"echo 'openjdk version \"{version}\" 2025-01-01' >&2\n"
    )
    script.chmod(0o755)
    return home


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m medallion_assets.lakehouse.spark.java` as make calls it, with nothing else in its environment."""
    command = [sys.executable, "-m", "medallion_assets.lakehouse.spark.java"]
    root = str(Path(java.__file__).parents[3])
    return subprocess.run(
        command, capture_output=True, text=True, cwd=root, env={"PATH": "/nowhere", **environment}
    )


def test_java_home_is_taken_before_the_java_on_path(tmp_path):
    chosen, other = fake_java(tmp_path / "21", "21.0.2"), fake_java(tmp_path / "17", "17.0.9")
    answer = run(JAVA_HOME=str(chosen), PATH=f"{other}/bin")
    assert (answer.returncode, answer.stdout) == (0, f"Java: {chosen}\n")


def test_a_java_on_path_leads_to_its_home_through_links(tmp_path):
    home = fake_java(tmp_path / "jdk-25", "25")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(home / "bin" / "java")
    answer = run(PATH=f"{tmp_path}/bin:/usr/bin:/bin")
    assert (answer.returncode, answer.stdout) == (0, f"Java: {home}\n")


@pytest.mark.parametrize("version, major", [("1.8.0_412", "8"), ("11.0.2", "11"), ("26-ea", "26")])
def test_another_version_gives_one_line_that_names_it(tmp_path, version, major):
    home = fake_java(tmp_path / "jdk", version)
    answer = run(JAVA_HOME=str(home))
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.count("\n") == 1
    assert f"JAVA_HOME is {home}, version {major}," in answer.stderr
    assert "Java 17, 21 or 25" in answer.stderr


def test_a_java_home_without_java_is_not_passed_over_in_silence(tmp_path):
    answer = run(JAVA_HOME=str(tmp_path), PATH=os.environ["PATH"])
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"JAVA_HOME is {tmp_path}, but there is no {tmp_path}/bin/java: install")


def test_where_there_is_none_and_nothing_may_be_installed_one_line_says_what_to_install():
    answer = run()  # There is no apt-get on this PATH either.
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert answer.stderr.startswith("No Java found (JAVA_HOME is not set, no java on PATH): install Java 17")
