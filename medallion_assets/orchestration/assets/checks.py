"""The asset checks of each table: their names at definition time, and the verdicts on the figures of one day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import dagster as dg

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.rules import Severity
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.bronze.day_metrics import BronzeDayMetrics
from medallion_assets.lakehouse.gold.day_metrics import GoldDayMetrics
from medallion_assets.lakehouse.gold.direct_etl import ExtractDayMetrics
from medallion_assets.lakehouse.silver.day_metrics import SilverDayMetrics

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR

_CONSEQUENCE = {Severity.QUARANTINE: "go to quarantine", Severity.WARN: "lose score"}


@dataclass(frozen=True)
class Check:
    """A check of a table; a blocking one keeps the day from being published and from going downstream."""

    name: str
    description: str
    severity: dg.AssetCheckSeverity
    blocking: bool = False


@dataclass(frozen=True)
class Verdict:
    passed: bool
    metadata: Mapping[str, Any] = field(default_factory=dict)


HAS_DATA = Check("has_data", "The day has data, unless it is a day off.", ERROR, True)
_READABLE = Check("files_readable", "Every landed file of the day could be read.", ERROR)


def checks_of(table: Table) -> list[Check]:
    """Every check of the table."""
    return [*([HAS_DATA] if table.expects_data else []), *_checks_of_layer(table)]


def _checks_of_layer(table: Table) -> list[Check]:
    if isinstance(table, BronzeTable):
        drift = Check("schema_drift", "The day's data has exactly the columns of the contract.", WARN)
        return [_READABLE, drift] if table.write.lands_files else [drift]
    if table.write.is_extract:
        return [
            _READABLE,
            Check("no_broken_rows", "No row of the day's files was left out for breaking a rule.", WARN),
        ]
    if isinstance(table, GoldTable):
        return _gold_checks(table)
    return _silver_checks(table) if isinstance(table, SilverTable) else []


def _silver_checks(table: SilverTable) -> list[Check]:
    limit = f"At most {table.quarantine_limit:.0%} of the day's rows are in quarantine."
    checks = [
        Check("row_conservation", "Every landed row has one outcome, file by file.", ERROR, True),
        Check("quarantine_ratio", limit, ERROR, True),
        Check("stale_days", "No day was folded under an older contract.", WARN),
    ]
    if table.write.has_keys:
        once = "one version at any time" if table.write.keeps_versions else "one row"
        checks.insert(1, Check("unique_key", f"A key has at most {once}.", ERROR, True))
    rules = [
        Check(r.name, f"Rows that do not satisfy {_code(r.predicate)} {_CONSEQUENCE[r.severity]}.", WARN)
        for r in table.row_rules
    ]
    return checks + rules


def _code(sql: str) -> str:
    """SQL as Markdown shows it, also where it holds quoted names."""
    return f"`` {sql} ``" if "`" in sql else f"`{sql}`"


def _gold_checks(table: GoldTable) -> list[Check]:
    whole = table.write.replaces_whole
    checks = [
        Check("reconciles_with_silver", "Totals equal silver's before the joins, to the cent.", ERROR, True)
    ]
    if not whole:
        checks.append(
            Check("outside_calendar", "No row of the day has an event day outside the calendar.", WARN)
        )
    if table.grain:
        described = f"No two rows have the same {', '.join(table.grain)}."
        checks.append(Check("grain_unique", described, ERROR, True))
    if table.measures:
        checks.append(Check("not_negative", "No measure is negative that may not be.", ERROR))
    if table.measures and not whole:
        checks.append(Check("day_complete", "The day has rows if, and only if, it has facts.", ERROR))
    return checks


def bronze_verdicts(table: BronzeTable, day: BronzeDayMetrics) -> dict[str, Verdict]:
    new, missing = day.drift(table)
    return {
        "files_readable": Verdict(not day.complaints, {"files": dict(day.complaints)}),
        "schema_drift": Verdict(not new and not missing, {"new_columns": new, "missing_columns": missing}),
    }


def extract_verdicts(day: ExtractDayMetrics) -> dict[str, Verdict]:
    return {
        "files_readable": Verdict(not day.complaints, {"files": dict(day.complaints)}),
        "no_broken_rows": Verdict(not day.broken, {"broken": day.broken, "rows": day.rows}),
    }


def silver_verdicts(table: SilverTable, day: SilverDayMetrics, stale: list[str]) -> dict[str, Verdict]:
    rows = day.total("rows")
    outcomes = {name: day.total(name) for name in ("current", "superseded", "deleted", "quarantined")}
    landed = sum(entry.rows for entry in day.landed.values())
    ratio = {"ratio": round(day.quarantine_ratio, 4), "limit": table.quarantine_limit, "rows": rows}
    verdicts = {
        "row_conservation": Verdict(
            not day.unaccounted, {"landed": landed, **outcomes, "rows_without_fate": dict(day.unaccounted)}
        ),
        "unique_key": Verdict(day.unique, {"rows": rows}),
        "quarantine_ratio": Verdict(
            day.quarantine_ratio <= table.quarantine_limit, {**ratio, "quarantined": outcomes["quarantined"]}
        ),
        "stale_days": Verdict(not stale, {"count": len(stale), "days": stale[:20]}),
    }
    for rule in table.row_rules:
        broken = day.broken(rule.name)
        verdicts[rule.name] = Verdict(broken == 0, {"broken": broken, "rows": rows})
    return verdicts


def gold_verdicts(day: GoldDayMetrics, outside: list[str], newer_input: bool) -> dict[str, Verdict]:
    """Of every check that a gold table may have."""
    figures = {f"written_{n}": number(v) for n, v in day.written.items()}
    figures |= {f"silver_{n}": number(v) for n, v in day.expected.items()}
    state = "STALE" if newer_input else "CURRENT"
    rows = {"rows": day.rows}
    return {
        "reconciles_with_silver": Verdict(day.reconciles, {**figures, "state": state}),
        "outside_calendar": Verdict(not outside, {"event_days": outside}),
        "grain_unique": Verdict(not day.repeated, {**rows, "repeated": day.repeated}),
        "not_negative": Verdict(not day.negative, {**rows, "negative": day.negative}),
        "day_complete": Verdict(day.is_complete, {**rows, "facts": day.facts}),
    }


def number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value) if isinstance(value, date) else value
