"""Files of a small landing, read once, and looked at file by file."""

from collections.abc import Collection, Mapping
from pathlib import Path

from pyspark.sql import SparkSession

from medallion_assets.lakehouse.landing.listing import list_files
from medallion_assets.lakehouse.landing.reader import FileReport, read_files

DAY = "2026-01-05"
FOLDER = f"orders/date={DAY}"


def land(root: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = root / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class Landed:
    """What `read_files` makes of all files of DAY."""

    def __init__(
        self,
        spark: SparkSession,
        root: Path,
        files: Mapping[str, bytes] | None = None,
        required: Collection[str] = (),
    ) -> None:
        land(root, files or {})
        frame, reports = read_files(spark, str(root), list_files(str(root), "orders", [DAY]), required)
        self.reports = {report.file.path.removeprefix(f"{FOLDER}/"): report for report in reports}
        self.columns = [] if frame is None else frame.columns
        self._rows = [] if frame is None else frame.collect()
        if frame is not None:
            frame.unpersist()

    def report(self, name: str) -> FileReport:
        return self.reports[name]

    def records(self, name: str) -> list[tuple[str | None, ...]]:
        """The records of a file: its own columns in its own order, then the corrupt record."""
        columns = (*self.report(name).columns, "_corrupt_record")
        rows = [row.asDict() for row in self._rows if row["_source_file"] == f"{FOLDER}/{name}"]
        return [tuple(row[column] for column in columns) for row in rows]

    def rows(self, name: str) -> list[dict[str, str]]:
        """The records of a file without their NULLs and without what landing adds."""
        rows = [row.asDict() for row in self._rows if row["_source_file"] == f"{FOLDER}/{name}"]
        return [
            {key: value for key, value in row.items() if value is not None and not key.startswith("_")}
            for row in rows
        ]
