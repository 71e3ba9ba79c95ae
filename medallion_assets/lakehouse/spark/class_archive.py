"""A class archive (Java's class-data sharing): the classes of Spark and Delta, loaded once and mapped by every session.

`commands/class_archive.py` writes it. Without it, or where Java or the jars have changed since, sessions load their
classes themselves.
"""

import sys
from pathlib import Path

_QUIET = "-Xshare:auto -Xlog:disable -Xlog:all=error:stderr"


def path() -> Path:
    """The archive of this virtual environment, whose jars it names."""
    return Path(sys.prefix, "spark-classes.jsa")


def to_write(archive: Path) -> str:
    """Java's options to write the archive when Java ends."""
    return f"-XX:ArchiveClassesAtExit={archive} {_QUIET}"


def to_read() -> str:
    """Java's options to map the archive; none where there is none."""
    return f"-XX:SharedArchiveFile={path()} {_QUIET}" if path().exists() else ""
