"""Finds the Java that Spark 4.2 can run on, and says in one line what to do where there is none.

`make` runs this module with the system's Python before the virtual environment exists, so it imports the standard
library and `errors.py` only.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from medallion_assets.errors import MedallionError

SUPPORTED = (17, 21, 25)
PACKAGE = "openjdk-17-jre-headless"
ADVICE = f"install Java 17, 21 or 25 (Debian, Ubuntu: apt-get install {PACKAGE}) and set JAVA_HOME to it"


class JavaError(MedallionError):
    """No usable Java. The message is one line for the person at the terminal."""


class JavaMissing(JavaError):
    """There is no Java at all, as opposed to one of the wrong version."""


def java_home() -> str:
    """The home of a Java that runs Spark: JAVA_HOME first, then the `java` on PATH.

    A JAVA_HOME that is set but unusable is an error, since Spark would use it anyway. JavaError.
    """
    named = os.environ.get("JAVA_HOME")
    if named:
        return _checked(Path(named), f"JAVA_HOME is {named}")
    found = shutil.which("java")
    if not found:
        raise JavaMissing(f"No Java found (JAVA_HOME is not set, no java on PATH): {ADVICE}.")
    return _checked(_home_of(found), f"java on PATH is {found}")


def _home_of(java: str) -> Path:
    """The home of a `java` on PATH. Java itself is asked, because version managers put scripts there, not links."""
    settings = _ask(java, "-XshowSettings:properties", "-version")
    found = re.search(r"^\s*java\.home = (.+)$", settings, re.MULTILINE)
    return Path(found[1].strip()) if found else Path(java).resolve().parent.parent


def _checked(home: Path, found: str) -> str:
    java = home / "bin" / "java"
    if not os.access(java, os.X_OK):
        raise JavaError(f"{found}, but there is no {java}: {ADVICE}.")
    version = re.search(r'version "(?:1\.)?(\d+)', _ask(str(java), "-version"))
    if not version:
        raise JavaError(f"{found}, but `java -version` does not show its version: {ADVICE}.")
    if int(version[1]) not in SUPPORTED:
        raise JavaError(f"{found}, version {version[1]}, which Spark 4.2 does not support: {ADVICE}.")
    return str(home)


def _ask(*command: str) -> str:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no answer: {error}"
    return answer.stdout + answer.stderr


def _install() -> None:
    """Installs Java by apt-get. Only as root on Debian or Ubuntu, and only where there is none."""
    print(f"No Java found: installing {PACKAGE} ...", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", PACKAGE]):
        result = subprocess.run(["apt-get", *step], env=environment, capture_output=True, text=True)
        if result.returncode != 0:
            reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise JavaError(f"apt-get {step[0]} failed ({reason}): {ADVICE}.")


def main() -> int:
    try:
        try:
            home = java_home()
        except JavaMissing:
            if os.geteuid() != 0 or not shutil.which("apt-get"):
                raise
            _install()
            home = java_home()
    except JavaError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Java: {home}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
