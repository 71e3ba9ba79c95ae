"""The records of landed files as text: one DataFrame of many files, whatever is wrong with some of them.

How a format is read belongs to `formats`; what becomes of the records to `bronze`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from medallion_assets.contracts.column_identity import column_key
from medallion_assets.contracts.technical_columns import CORRUPT_RECORD, SOURCE_FILE
from medallion_assets.lakehouse.landing.area import LandedFile, LandingError
from medallion_assets.lakehouse.landing.column_names import UnreadableFile
from medallion_assets.lakehouse.landing.formats.detection import sniff
from medallion_assets.lakehouse.landing.formats.folder_columns import folder_columns
from medallion_assets.lakehouse.landing.formats.layout import Layout, text_size
from medallion_assets.lakehouse.landing.formats.loader import load
from medallion_assets.lakehouse.landing.listing import area_of, has_changed
from medallion_assets.lakehouse.spark.errors import is_fault_of_data, reason

STILL_WRITTEN = (
    "it changed or went while it was read: somebody still writes it, and the next run reads it again"
)


@dataclass(frozen=True)
class FileReport:
    """What became of one file.

    status: loaded, empty (no records) or unreadable
    rows, corrupt: its records, and how many of them are broken
    message: what is wrong with the file and how to fix it
    columns: as landed; of JSON those that have a value
    note: how the file was read, where that is not the usual way
    """

    file: LandedFile
    status: str
    rows: int = 0
    corrupt: int = 0
    message: str = ""
    columns: tuple[str, ...] = ()
    note: str = ""


def read_files(
    spark: SparkSession, root: str, files: Sequence[LandedFile], required: Collection[str] = ()
) -> tuple[DataFrame | None, list[FileReport]]:
    """The records of the files as text, persisted (the caller unpersists), and a report per file.

    required: a file without any of these columns is not of this table; none where any file is
    Returns: the landed fields, sorted, then `formats.loader.ADDED`; None if there is no record at all. Spark's error
    where no file is to blame.
    """
    layouts, unread = _sniff_all(root, files, required)
    frame, counts, failed = load(spark, root, layouts)
    repairs = _repairs(files, layouts, counts, failed)
    undecoded = {path: counts[path]["undecoded"] for path in repairs if path in counts}
    if repairs:
        frame, counts, failed_again = _replaced(spark, root, frame, repairs, repairs)
        layouts |= repairs
        failed = {path: why for path, why in failed.items() if path not in repairs} | failed_again
    changed = {file.path: STILL_WRITTEN for file in files if not file.fault and has_changed(root, file)}
    if counts.keys() & changed:
        frame, counts, _ = _replaced(spark, root, frame, changed, {})
    reasons = failed | changed | unread
    reports = [
        _unread(file, layouts.get(file.path), reasons.get(file.path, ""))
        if file.path not in counts
        else _loaded(file, layouts[file.path], counts[file.path], undecoded.get(file.path, 0))
        for file in files
    ]
    if frame is not None and not counts:
        frame.unpersist()
    return frame if counts else None, reports


def place_in_file() -> Column:
    """Ascends with the place of a record in its file, in any read of the file alike. No pass, sort or shuffle.

    For a column of what `read_files` returns, as it is. Spark numbers the rows of its tasks in their order, and gives
    the parts of a large file to tasks in the order of the file: the last, smaller part comes after all others.
    """
    return F.monotonically_increasing_id()


def _replaced(
    spark: SparkSession,
    root: str,
    frame: DataFrame | None,
    paths: Collection[str],
    layouts: Mapping[str, Layout],
) -> tuple[DataFrame | None, dict[str, Row], dict[str, str]]:
    """The frame without the rows of `paths` and with those of `layouts`, as `load` returns it."""
    loaded = load(spark, root, layouts, frame and frame.where(~F.col(SOURCE_FILE).isin(list(paths))))
    if frame is not None:
        frame.unpersist()
    return loaded


def _sniff_all(
    root: str, files: Sequence[LandedFile], required: Collection[str]
) -> tuple[dict[str, Layout], dict[str, str]]:
    """Path -> the layout of a file that has records; path -> why a file cannot be read."""
    layouts: dict[str, Layout] = {}
    reasons: dict[str, str] = {}
    area = area_of(root)
    for file in files:
        try:
            is_readable = file.size and not file.fault
            layout = sniff(area.content(file.path), required) if is_readable else None
        except LandingError:
            raise  # the store's fault, and not the file's
        except UnreadableFile as error:
            reasons[file.path] = str(error)
        except OSError as error:
            reasons[file.path] = f"{error.strerror or error}; allow this user to read it, or land it again"
        except Exception as error:
            if not is_fault_of_data(error):
                raise
            reasons[file.path] = f"it cannot be read ({reason(error)}); fix it or land it again"
        else:
            if layout:
                layouts[file.path] = layout
            if file.fault:
                reasons[file.path] = file.fault
    return layouts, reasons


def _repairs(
    files: Sequence[LandedFile],
    layouts: Mapping[str, Layout],
    counts: Mapping[str, Row],
    failed: Collection[str],
) -> dict[str, Layout]:
    """Path -> how to read a file again that had swallowed lines or undecoded bytes.

    Files that failed are among them: a field with an unclosed quote may be longer than the parser's limit.
    """
    repairs = {}
    for file in files:
        count = counts.get(file.path)
        swallowed = layouts[file.path].may_be_cut_wrongly(count) if count else file.path in failed
        undecoded = bool(count and count["undecoded"])
        if swallowed or undecoded:
            size = text_size(file.path, file.size)
            repairs[file.path] = layouts[file.path].repaired(swallowed, undecoded, size)
    return {path: layout for path, layout in repairs.items() if layout}


def _unread(file: LandedFile, layout: Layout | None, reason: str) -> FileReport:
    if reason:
        return FileReport(file, "unreadable", message=f"{file.path}: {reason}")
    return FileReport(file, "empty", columns=layout.columns if layout else ())


def _loaded(file: LandedFile, layout: Layout, count: Row, undecoded: int) -> FileReport:
    columns = layout.columns or tuple(name for name in count["columns"] if name)
    known = set(map(column_key, columns))
    columns += tuple(name for name in folder_columns(file.path) if column_key(name) not in known)
    unrepaired = count["swallowed"] and layout.may_swallow
    complaint = _complaint(count["corrupt"], min(undecoded, count["corrupt"]), unrepaired)
    message = complaint and f"{file.path}: {complaint}"
    return FileReport(file, "loaded", count["rows"], count["corrupt"], message, columns, layout.note)


def _complaint(corrupt: int, undecoded: int, unrepaired: bool) -> str:
    complaints = []
    if undecoded:
        complaints.append(f"{undecoded} records are not valid UTF-8; convert the file to UTF-8")
    if corrupt > undecoded:
        complaints.append(
            f"{corrupt - undecoded} records are broken (number of fields, quotes, or JSON); "
            f"see {CORRUPT_RECORD} and land the file again"
        )
    if unrepaired:
        complaints.append(
            "a quote may be unclosed and have swallowed lines, or its line ends are mixed; "
            "split the file, it is too large to tell"
        )
    return "; ".join(complaints)
