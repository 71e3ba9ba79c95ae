"""What `make doctor` says of the lake: quarantine, what waits, streams, late tables and the last error."""

from collections.abc import Collection, Iterable
from datetime import timedelta

from medallion_assets.commands.doctor_line import Line, age_of, span
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control import run_log, streams
from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, LandedEntry, entries
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.landing.listing import list_files
from medallion_assets.lakehouse.monitoring.freshness import late_tables
from medallion_assets.lakehouse.monitoring.source_changes import landing_state
from medallion_assets.orchestration.partitions import CALENDAR

DAY = timedelta(days=1)


def silver(root: str, tables: Iterable[Table]) -> Iterable[Line]:
    """Rows in quarantine, and stale days (merged under an older contract), as the ledger has them."""
    for table in (table for table in tables if table.layer == "silver"):
        days = entries(root, FoldedEntry, table.key)
        files = [file for listed in days.values() for file in listed.values()]
        quarantined = sum(file.quarantined for file in files)
        stale = {file.day for file in files if file.fingerprint != table.fingerprint}
        todo = f"fix files or contract, then `make replay TABLE={table.name}`" if quarantined or stale else ""
        yield Line(
            table.key, f"{quarantined} rows in quarantine, {len(stale)} of {len(days)} days stale", todo
        )


def landed_files(landing: str, root: str, tables: Collection[Table]) -> Iterable[Line]:
    """The days whose files are not yet in bronze and silver as they are now; unreadable folders are in `sources`."""
    landed, ingested, notes = landing_state(tables, landing, root)
    waiting = sorted(at for at, state in landed.items() if ingested.get(at) != state)
    for table in tables:
        days = [day for key, day in waiting if key == table.key]
        if days:
            oldest = f"the oldest {days[0]}{_oldest_file(landing, root, table, days)}"
            in_calendar = CALENDAR.has_partition_key(days[0])
            todo = f"materialize {days[0]}" if in_calendar else "correct its date, or MEDALLION_FIRST_DAY"
            yield Line(
                table.key, f"{len(days)} {'day waits' if len(days) == 1 else 'days wait'}, {oldest}", todo
            )
    if not waiting and not notes:
        yield Line("landed files", f"{len(landed)} days, all ingested")


def _oldest_file(landing: str, root: str, table: Table, days: Collection[str]) -> str:
    """Of the files that are not in bronze; where all are, of those that are not in silver."""
    if not table.landing_folder:
        return ""
    ledger = entries(root, LandedEntry, table.key, days).values()
    known = {path: file.identity for files in ledger for path, file in files.items()}
    files = list_files(landing, table.landing_folder, days)
    new = [f for f in files if known.get(f.path) != f.identity] or files
    return f", oldest file {span(age_of(min(f.modified_at.timestamp() for f in new)))} old" if new else ""


def followed_topics(root: str) -> Iterable[Line]:
    """The processes of `make stream`, each with the topics that it follows."""
    for one in streams.streams(root):
        lag = "the brokers do not answer" if one.lag_messages < 0 else f"{one.lag_messages} messages behind"
        silent = streams.is_silent(one, now())
        todo = "start it again: `make stream`" if silent else f"see its log: {one.error}" if one.error else ""
        where = f"{one.status}, {one.place}, {span(age_of(one.heartbeat_at.timestamp()))} ago, {lag}"
        yield Line(f"stream of {one.table_name}", where, todo if one.status == streams.RUNNING else "")


def late(root: str, tables: Collection[Table]) -> Iterable[Line]:
    for key, text in late_tables(root, tables, now()).items():
        yield Line(key, text.removeprefix(f"{key}: "), "land its files, or see why no run ingested them")


def last_error(root: str) -> Iterable[Line]:
    errors = run_log.since(root, run_log.PipelineError, now() - DAY)
    for last in errors[-1:]:
        message = last.message.strip().partition("\n")[0]
        place = " ".join(part for part in (last.asset or last.pipeline, last.day) if part)
        where = f"{place}, {span(age_of(last.timestamp.timestamp()))} ago: {message}"
        by_itself = streams.is_of_stream(last.run_id)
        then = "its stream goes on by itself" if by_itself else f"materialize the day (run {last.run_id[:8]})"
        yield Line("last error", where, f"fix it and {then}")
    if not errors:
        yield Line("last error", "none in the last 24 hours")
