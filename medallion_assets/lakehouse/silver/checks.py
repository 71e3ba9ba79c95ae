"""The checks of one ingestion day of silver, a cause before its consequences; the blocking ones hold the day back."""

from medallion_assets.contracts.checks import Check, Verdict, blocking_failure
from medallion_assets.contracts.rules import Rule, Severity
from medallion_assets.contracts.silver import NOT_TRUNCATED, SilverTable
from medallion_assets.lakehouse.silver.day_metrics import OUTCOMES, SilverDayMetrics

QUARANTINE_RATIO = "quarantine_ratio"
_CONSEQUENCE = {Severity.QUARANTINE: "go to quarantine", Severity.WARN: "lose score"}


def _up_to_date(day: SilverDayMetrics) -> Verdict:
    stale = {"count": len(day.stale_days), "days": list(day.stale_days[:20])}
    behind = {"not_in_bronze": list(day.not_in_bronze[:20])} if day.not_in_bronze else {}
    return Verdict(not day.stale_days and not behind, {**stale, **behind})


STALE_DAYS = Check[SilverDayMetrics](
    "stale_days",
    "No day was merged under an older contract, and bronze has taken what landed for this day.",
    _up_to_date,
    "WARN",
)


def silver_checks(table: SilverTable) -> list[Check[SilverDayMetrics]]:
    """A key with two rows also puts out the row counts, so it is looked for first."""
    checks = [
        *([_NOT_TRUNCATED] if NOT_TRUNCATED in table.row_rules else []),
        _quarantine_ratio(table.quarantine_limit, table.quarantine_least),
        *([_unique_key(table)] if table.write.has_keys else []),
        Check(
            "row_conservation", "Every landed row has one outcome, file by file.", _conserved, blocking=True
        ),
        *([_OP_FOUND, _ORDER_UNDECIDED] if table.write.has_keys else []),
        STALE_DAYS,
    ]
    return [*checks, *(_rule_check(rule) for rule in table.row_rules if rule != NOT_TRUNCATED)]


def blocked_by(table: SilverTable, day: SilverDayMetrics) -> str | None:
    """The blocking check that keeps the day from being published."""
    return blocking_failure(silver_checks(table), day)


def why_blocked(table: SilverTable, day: SilverDayMetrics, check: str) -> str:
    """What the check that keeps the day from being published has found, for a person to mend it."""
    if check != QUARANTINE_RATIO:
        failed = next(one for one in silver_checks(table) if one.name == check).evaluate(day)
        return ", ".join(f"{name} {value}" for name, value in failed.metadata.items())
    severe = [rule.name for rule in table.row_rules if rule.severity is Severity.QUARANTINE]
    broken = sorted(((day.broken(name), name) for name in severe if day.broken(name)), reverse=True)
    files = next(iter(day.landed)) if len(day.landed) == 1 else f"{len(day.landed)} files"
    share = f"{day.quarantine_ratio:.0%}, limit {table.quarantine_limit:.0%}"
    return (
        f"{day.total('quarantined')} of {day.judged} rows ({share}) of {files} break a rule: "
        f"{', '.join(f'{name} {rows}' for rows, name in broken)}. Mend the file; the sensor takes it"
    )


def _quarantine_ratio(limit: float, least: int) -> Check[SilverDayMetrics]:
    def evaluate(day: SilverDayMetrics) -> Verdict:
        ratio = {"ratio": round(day.quarantine_ratio, 4), "limit": limit, "rows": day.judged}
        is_good = day.quarantine_ratio <= limit or day.judged < least
        return Verdict(is_good, {**ratio, "quarantined": day.total("quarantined")})

    counts = f", of a day with {least:,} rows or more" if least else ""
    description = f"At most {limit:.0%} of the day's rows are in quarantine{counts}."
    return Check(QUARANTINE_RATIO, description, evaluate, blocking=True)


def _unique_key(table: SilverTable) -> Check[SilverDayMetrics]:
    once = "one version at any time" if table.write.keeps_versions else "one row"
    description = f"A key has at most {once}."
    return Check("unique_key", description, lambda day: Verdict(day.unique, _rows(day)), blocking=True)


def _conserved(day: SilverDayMetrics) -> Verdict:
    landed = sum(entry.rows for entry in day.landed.values())
    outcomes = {name: day.total(name) for name in OUTCOMES}
    return Verdict(not day.unaccounted, {"landed": landed, **outcomes, "rows_without_fate": day.unaccounted})


_NOT_TRUNCATED = Check[SilverDayMetrics](
    NOT_TRUNCATED.name,
    "No message says that the table was emptied by TRUNCATE: it does not say of which rows. Send a delete of each, "
    "say `op=Op('op', ignores=('T',))` in the contract, and replay the table.",
    lambda day: Verdict(not day.broken(NOT_TRUNCATED.name), {"truncations": day.broken(NOT_TRUNCATED.name)}),
    blocking=True,
)

_OP_FOUND = Check[SilverDayMetrics](
    "op_found",
    "No file is without any op that the contract knows; the rows of such a file are in quarantine.",
    lambda day: Verdict(not day.without_op, {"files": day.without_op[:20]}),
)

_ORDER_UNDECIDED = Check[SilverDayMetrics](
    "order_undecided",
    "No two changes of a key have the same place in its order, so that their content decides which one counts.",
    lambda day: Verdict(not day.total("undecided"), {"undecided": day.total("undecided"), **_rows(day)}),
    "WARN",
)


def _rule_check(rule: Rule) -> Check[SilverDayMetrics]:
    def evaluate(day: SilverDayMetrics) -> Verdict:
        broken = day.broken(rule.name)
        return Verdict(broken == 0, {"broken": broken, **_rows(day)})

    description = f"Rows that do not satisfy {_code(rule.shown)} {_CONSEQUENCE[rule.severity]}."
    return Check(rule.name, description, evaluate, "WARN")


def _code(sql: str) -> str:
    """SQL as Markdown shows it, also where it holds quoted names."""
    return f"`` {sql} ``" if "`" in sql else f"`{sql}`"


def _rows(day: SilverDayMetrics) -> dict[str, int]:
    return {"rows": day.total("rows")}
