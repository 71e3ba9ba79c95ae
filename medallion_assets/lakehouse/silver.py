"""A step of silver over one or many ingestion days: plan, judge, quarantine, fold, publish, record.

The order of the commits is intent, quarantine, silver, ledger: after a crash at any point the days that were under
way are restated by their next run, with the same result.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.sequence import DayPlan, Fold, plan_day
from medallion_assets.contracts.table import ReplaceDay, Table
from medallion_assets.lakehouse import changes, log
from medallion_assets.lakehouse.bronze import LOADED, PENDING
from medallion_assets.lakehouse.control import FoldedEntry, LandedEntry, entries, identities, record
from medallion_assets.lakehouse.formats.layout import quoted
from medallion_assets.lakehouse.judging import PROVENANCE, business_columns, failed_rules, judge, tally
from medallion_assets.lakehouse.storage import Lake, days_predicate, files_predicate, one_writer

UNDER_WAY = "under way"
"""The fingerprint of files whose fold was begun and not recorded as done. No contract has it: the day is restated."""

Files = Mapping[str, Collection[str]]
"""Ingestion day -> paths."""


@dataclass(frozen=True)
class FoldedDay:
    """What is known of one ingestion day of silver; counts are as of the commits that folded the day's files."""

    day: str
    files: Mapping[str, FoldedEntry] = field(default_factory=dict)
    landed: Mapping[str, LandedEntry] = field(default_factory=dict)
    unique: bool = True

    def total(self, count: str) -> int:
        """The sum over the day's files of rows, current, superseded, deleted or quarantined."""
        return sum(getattr(entry, count) for entry in self.files.values())

    def broken(self, rule: str) -> int:
        return sum(entry.broken.get(rule, 0) for entry in self.files.values())

    @property
    def quality_score(self) -> float | None:
        """The mean score of the day's rows, quarantine included."""
        rows = self.total("rows")
        return round(sum(entry.score_sum for entry in self.files.values()) / rows, 2) if rows else None

    @property
    def quarantine_ratio(self) -> float:
        rows = self.total("rows")
        return self.total("quarantined") / rows if rows else 0.0

    @property
    def unaccounted(self) -> dict[str, int]:
        """Files whose fates do not add up to the rows that bronze landed: path -> rows without a fate."""
        missing = {path: entry.rows - _fates(self.files.get(path)) for path, entry in self.landed.items()}
        return {path: rows for path, rows in missing.items() if rows}

    def blocked_by(self, table: Table) -> str | None:
        """The blocking check that keeps the day from being published."""
        if self.quarantine_ratio > table.quarantine_limit:
            return "quarantine_ratio"
        if not self.unique:
            return "unique_key"  # before the counts, which a key with two rows puts out, too
        return "row_conservation" if self.unaccounted else None


def _fates(entry: FoldedEntry | None) -> int:
    return entry.current + entry.superseded + entry.deleted + entry.quarantined if entry else 0


def fold_days(lake: Lake, table: Table, days: Collection[str]) -> dict[str, FoldedDay]:
    """Brings silver up to date with the bronze rows of `days`; a blocked day is judged and not published."""
    with one_writer(lake.root, table.key):
        return _Step(lake, table, days).run()


class _Step:
    """One run of `fold_days`."""

    def __init__(self, lake: Lake, table: Table, days: Collection[str]):
        self.lake, self.table = lake, table
        self.bronze = table.inputs[0]
        self.landed = entries(lake.root, LandedEntry, self.bronze.key, days)
        self.folded = entries(lake.root, FoldedEntry, table.key, days)
        plans = {day: self._plan(day) for day in days}
        self.plans = {day: plan for day, plan in plans.items() if plan.fold is not Fold.NOTHING}

    def _plan(self, day: str) -> DayPlan:
        if any(entry.status == PENDING for entry in self.landed[day].values()):
            return DayPlan(Fold.NOTHING, frozenset())  # bronze was interrupted: row_conservation says so
        fingerprints = {entry.fingerprint for entry in self.folded[day].values()}
        landed, folded = identities(with_rows(self.landed[day])), identities(self.folded[day])
        plan = plan_day(landed, folded, fingerprints, self.table.fingerprint)
        if plan.fold is Fold.INCREMENTAL and isinstance(self.table.write, ReplaceDay):
            return DayPlan(Fold.RESTATE, frozenset(landed))
        return plan

    def run(self) -> dict[str, FoldedDay]:
        known = {day: FoldedDay(day, self.folded[day], self.landed[day]) for day in self.folded}
        if not self.plans:
            return known
        self._record(self._under_way())
        judged = judged_rows(
            self.lake, self.table, {day: plan.files for day, plan in self.plans.items()}
        ).persist()
        try:
            days = self._judge(judged)
            self._quarantine(judged, days)
            days = self._publish(judged, days)
        finally:
            judged.unpersist()
        blocked = {day for day, figures in days.items() if figures.blocked_by(self.table)}
        self._record(
            {day: self.folded[day] if day in blocked else figures.files for day, figures in days.items()}
        )
        return known | days

    def _under_way(self) -> dict[str, dict[str, FoldedEntry]]:
        begun = {
            day: {path: _begun(self.table, self.landed[day][path]) for path in plan.files}
            for day, plan in self.plans.items()
        }
        return {day: self.folded[day] | files for day, files in begun.items()}

    def _record(self, days: Mapping[str, Mapping[str, FoldedEntry]]) -> None:
        rows = [entry for files in days.values() for entry in files.values()]
        record(self.lake.root, FoldedEntry, self.table.key, days, rows)

    def _judge(self, judged: DataFrame) -> dict[str, FoldedDay]:
        """The days as far as judging tells: until the fold says more, every valid row counts as current."""
        counted = _counted(self.table, judged, self.landed)
        kept = {
            day: self.folded[day] if plan.fold is Fold.INCREMENTAL else {} for day, plan in self.plans.items()
        }
        return {day: FoldedDay(day, kept[day] | counted[day], self.landed[day]) for day in self.plans}

    def _quarantine(self, judged: DataFrame, days: Mapping[str, FoldedDay]) -> None:
        """The broken rows of the step's files replace what quarantine holds of them."""
        key = f"quarantine/{self.table.name}"
        held = log.partition_bytes(self.lake.root, key)
        broken = any(
            days[day].files[path].quarantined for day, plan in self.plans.items() for path in plan.files
        )
        if not broken and not held.keys() & self.plans.keys():
            return
        rows = judged.where("_quarantined").select(
            "_landed.*",
            failed_rules(self.table.row_rules).alias("_failed_rules"),
            "_data_quality_score",
            *PROVENANCE,
            "_corrupt_record",
            F.current_timestamp().alias("_quarantined_timestamp"),
        )
        whole = [day for day, plan in self.plans.items() if plan.fold is Fold.RESTATE or day not in held]
        single = {day: plan.files for day, plan in self.plans.items() if day not in whole}
        with one_writer(self.lake.root, key):
            self.lake.replace(
                rows, key, files_predicate(whole, single), "_ingestion_date", {"table": self.table.key}
            )

    def _publish(self, judged: DataFrame, days: Mapping[str, FoldedDay]) -> dict[str, FoldedDay]:
        """Writes the days that no blocking check holds back; returns the days with the fate of every row."""
        open_days = sorted(day for day, figures in days.items() if not figures.blocked_by(self.table))
        if not open_days:
            return dict(days)
        valid = judged.where(~F.col("_quarantined") & F.expr(days_predicate("_ingestion_date", open_days)))
        if isinstance(self.table.write, ReplaceDay):
            replace_days(self.lake, self.table, valid, open_days)
            return dict(days)
        staged = self._fold(valid, days, open_days)
        try:
            if staged.unique:
                changes.publish(self.lake, self.table, staged, {"table": self.table.key})
        finally:
            staged.rows.unpersist()
        return {
            day: _with_fates(figures, staged, self.plans[day].files) if day in open_days else figures
            for day, figures in days.items()
        }

    def _fold(self, valid: DataFrame, days: Mapping[str, FoldedDay], open_days: list[str]) -> changes.Staged:
        restated = [day for day in open_days if self.plans[day].fold is Fold.RESTATE]
        if restated:
            others = judged_rows(self.lake, self.table, self._other_files(open_days)).where(
                ~F.col("_quarantined")
            )
            return changes.fold_again(self.lake, self.table, valid, others, restated)
        own = [days[day].files[path] for day in open_days for path in self.plans[day].files]
        return changes.fold_on_top(self.lake, self.table, valid, sum(e.rows - e.quarantined for e in own))

    def _other_files(self, open_days: list[str]) -> dict[str, set[str]]:
        """All folded and unchanged files but those that this step judges and publishes."""
        folded = entries(self.lake.root, FoldedEntry, self.table.key) | self.folded
        landed = entries(self.lake.root, LandedEntry, self.bronze.key)
        own = {path for day in open_days for path in self.plans[day].files}
        return {
            day: {
                p for p, e in files.items() if p not in own and _is_unchanged(e, landed.get(day, {}).get(p))
            }
            for day, files in folded.items()
        }


def _counted(
    table: Table, judged: DataFrame, landed: Mapping[str, Mapping[str, LandedEntry]]
) -> dict[str, dict[str, FoldedEntry]]:
    """One entry per day and file of the judged rows, with every valid row as current."""
    counted: dict[str, dict[str, FoldedEntry]] = defaultdict(dict)
    for row in tally(table, judged).collect():
        day, path = str(row["_ingestion_date"]), row["_source_file"]
        counted[day][path] = replace(
            _begun(table, landed[day][path]),
            fingerprint=table.fingerprint,
            rows=row["rows"],
            current=row["rows"] - row["quarantined"],
            quarantined=row["quarantined"],
            score_sum=row["score_sum"],
            broken={
                rule.name: row[f"broken_{i}"] for i, rule in enumerate(table.row_rules) if row[f"broken_{i}"]
            },
        )
    return counted


def with_rows(files: Mapping[str, LandedEntry]) -> dict[str, LandedEntry]:
    return {path: entry for path, entry in files.items() if entry.status == LOADED}


def judged_rows(lake: Lake, table: Table, files: Files) -> DataFrame:
    """The bronze rows of these files, judged."""
    days = sorted(day for day, paths in files.items() if paths)
    paths = sorted(path for listed in files.values() for path in listed)
    bronze = lake.read(table.inputs[0].key)
    if not days:
        return judge(table, bronze.limit(0))
    return judge(
        table,
        bronze.where(F.expr(days_predicate("_ingestion_date", days)) & F.col("_source_file").isin(paths)),
    )


def replace_days(lake: Lake, table: Table, valid: DataFrame, days: Collection[str]) -> None:
    """Rows without a key: each day becomes its valid rows."""
    rows = valid.select(
        *[quoted(name) for name in business_columns(valid)],
        *PROVENANCE,
        F.current_timestamp().alias("_silver_processed_timestamp"),
        "_data_quality_score",
    )
    lake.replace(
        rows, table.key, days_predicate("_ingestion_date", days), "_ingestion_date", {"table": table.key}
    )


def _begun(table: Table, landed: LandedEntry) -> FoldedEntry:
    return FoldedEntry(
        table_name=table.key,
        day=landed.day,
        path=landed.path,
        size=landed.size,
        modified_at=landed.modified_at,
        fingerprint=UNDER_WAY,
        rows=0,
        current=0,
        superseded=0,
        deleted=0,
        quarantined=0,
        score_sum=0.0,
    )


def _with_fates(figures: FoldedDay, staged: changes.Staged, files: Collection[str]) -> FoldedDay:
    none = {"current": 0, "superseded": 0, "deleted": 0}
    fates = {path: none | dict(staged.fates.get((figures.day, path), {})) for path in files}
    updated = {path: replace(figures.files[path], **counts) for path, counts in fates.items()}
    return replace(figures, files={**figures.files, **updated}, unique=staged.unique)


def _is_unchanged(folded: FoldedEntry, landed: LandedEntry | None) -> bool:
    return landed is not None and folded.identity == landed.identity and folded.fingerprint != UNDER_WAY


def stale_days(lake: Lake, table: Table) -> list[str]:
    """Days that were folded under an older contract, oldest first."""
    days = entries(lake.root, FoldedEntry, table.key)
    return sorted(
        d for d, files in days.items() if any(e.fingerprint != table.fingerprint for e in files.values())
    )


def check_days(lake: Lake, table: Table, days: Collection[str]) -> dict[str, FoldedDay]:
    """The figures of `days` as of now, counted in the rows of bronze, silver and quarantine; writes nothing."""
    landed = entries(lake.root, LandedEntry, table.inputs[0].key, days)
    files = {day: with_rows(listed) for day, listed in landed.items()}
    if not any(files.values()):
        return {day: FoldedDay(day, landed=landed[day]) for day in days}
    judged = judged_rows(lake, table, files).persist()
    counted = _counted(table, judged, landed)
    quarantined = _rows_by_file(lake, f"quarantine/{table.name}", days)
    if isinstance(table.write, ReplaceDay):
        fates = {source: {"current": rows} for source, rows in _rows_by_file(lake, table.key, days).items()}
        unique = True
    else:
        fates = changes.fates_now(lake, table, judged.where(~F.col("_quarantined")))
        unique = changes.is_unique(lake, table)
    judged.unpersist()
    for (day, path), entry in [((d, p), e) for d, listed in counted.items() for p, e in listed.items()]:
        now = (
            {"current": 0}
            | dict(fates.get((day, path), {}))
            | {"quarantined": quarantined.get((day, path), 0)}
        )
        counted[day][path] = replace(entry, **now)
    return {day: FoldedDay(day, counted[day], landed[day], unique) for day in days}


def _rows_by_file(lake: Lake, key: str, days: Collection[str]) -> dict[tuple[str, str], int]:
    if not lake.exists(key):
        return {}
    rows = lake.read(key).where(days_predicate("_ingestion_date", days)).groupBy(*PROVENANCE).count()
    return {(str(row["_ingestion_date"]), row["_source_file"]): row["count"] for row in rows.collect()}
