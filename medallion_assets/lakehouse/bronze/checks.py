"""The checks of one ingestion day of bronze."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.checks import Check, Verdict
from medallion_assets.lakehouse.bronze.day_metrics import BronzeDayMetrics


class LandedDay(Protocol):
    """Metrics of a day that was read from landed files."""

    @property
    def complaints(self) -> Mapping[str, str]:
        """Path -> what is wrong with the file."""
        ...

    @property
    def notes(self) -> Mapping[str, str]:
        """Path -> how the file was read, where that is not the usual way."""
        ...


class LandedSource(Protocol):
    """Metrics of a day that tell of its whole source."""

    @property
    def beside(self) -> Sequence[str] | None:
        """What lies beside the day folders."""
        ...


FILES_READABLE = Check[LandedDay](
    "files_readable",
    "Every landed file of the day could be read.",
    lambda day: Verdict(not day.complaints, _files(day)),
)

ONLY_DAY_FOLDERS = Check[LandedSource](
    "only_day_folders",
    "Nothing lies beside the source's folders date=YYYY-MM-DD, where it is never read.",
    lambda day: Verdict(not day.beside, {"never_read": list(day.beside or ())}),
    "WARN",
)


def _files(day: LandedDay) -> dict[str, dict[str, str]]:
    return {"files": dict(day.complaints), **({"read_as": dict(day.notes)} if day.notes else {})}


def bronze_checks(table: BronzeTable) -> list[Check[BronzeDayMetrics]]:
    of_files = [FILES_READABLE, ONLY_DAY_FOLDERS] if table.write.lands_files else []
    return [*of_files, *([] if table.payload else [_schema_drift(table)])]


def _schema_drift(table: BronzeTable) -> Check[BronzeDayMetrics]:
    def evaluate(day: BronzeDayMetrics) -> Verdict:
        new, missing = day.drift(table)
        return Verdict(not new and not missing, {"new_columns": new, "missing_columns": missing})

    description = "The day's data has exactly the columns of the contract."
    return Check("schema_drift", description, evaluate, "WARN")
