"""What people are alerted to, and in which words: rows of the run log in, incidents out. No dagster, no clock.

One incident a run, however much failed in it. No text holds a row's value. The message of a foreign error may quote
one, so only the error's class is shown, and of Spark's errors the condition.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from medallion_assets.lakehouse.control.run_log import CheckResult, PipelineError
from medallion_assets.lakehouse.control.streams import is_of_stream

WARN, ERROR, RECOVERED = "WARN", "ERROR", "RECOVERED"
SHOWN_NAMES, SHOWN_LINES, SHOWN_CHARACTERS = 6, 3, 600
_DIGEST = 16


@dataclass(frozen=True)
class Incident:
    """causes: names of what failed, which hold no data. An incident is new while one of them has not been sent.

    broken: rows that the failed checks counted, by which incidents of a severity are ordered
    run_id: of the run that can be looked at; empty where there is none
    """

    causes: tuple[str, ...]
    severity: str
    text: str
    broken: int = 0
    run_id: str = ""


def incidents(
    errors: Sequence[PipelineError], checks: Sequence[CheckResult], states: Mapping[str, str], minimum: str
) -> list[Incident]:
    """Of the runs and of what is wrong now: errors first, then warnings; within these by broken rows, oldest first.

    checks: failed ones
    states: cause -> what is wrong, of tables that are late, dead streams and broken sensors
    minimum: WARN or ERROR, the severity from which a failed check counts
    """
    error_of = {error.run_id: error for error in errors}
    checks_of: dict[str, list[CheckResult]] = {}
    for check in checks:
        checks_of.setdefault(check.run_id, []).append(check)
    rows = sorted([*errors, *checks], key=lambda row: row.timestamp)
    found = [
        _of_run(run, error_of.get(run), checks_of.get(run, []), minimum)
        for run in dict.fromkeys(row.run_id for row in rows)
    ]
    found += [Incident((cause,), ERROR, f"ERROR: {text}") for cause, text in states.items()]
    found = [incident for incident in found if incident.causes]
    return sorted(found, key=lambda incident: (incident.severity != ERROR, -incident.broken))


def recovery(causes: Sequence[str]) -> Incident:
    """One message for all that has come right again."""
    return Incident(tuple(causes), RECOVERED, f"{RECOVERED}: {_some(list(map(_readable, causes)))}")


def check_cause(check: CheckResult) -> str:
    """Of a day: another day is news."""
    return " ".join(part for part in (f"{check.asset} check {check.check_name}", check.day) if part)


def error_cause(error: PipelineError) -> str:
    """With a digest of the message, without the numbers (tasks, addresses) that differ each time in foreign errors."""
    message = error.message
    if not _is_ours(error):
        first = message.replace(error.run_id, "").strip().partition("\n")[0]
        message = re.sub(r"0x[0-9a-f]+|\d+", "", first)
    digest = hashlib.sha256(message.encode()).hexdigest()[:_DIGEST]
    parts = (error.asset or error.pipeline, error.day, error.error_class, digest)
    return " ".join(part for part in parts if part)


def _readable(cause: str) -> str:
    """Without the digest of an error."""
    return re.sub(rf" [0-9a-f]{{{_DIGEST}}}$", "", cause)


def _of_run(run: str, error: PipelineError | None, failed: list[CheckResult], minimum: str) -> Incident:
    wanted = [check for check in failed if check.severity == ERROR or minimum == WARN]
    causes = dict.fromkeys(map(check_cause, wanted))
    severity = ERROR if error or any(check.severity == ERROR for check in failed) else WARN
    listed, run, broken = _listed(failed), "" if is_of_stream(run) else run, sum(map(_broken, failed))
    if error is None:
        return Incident(tuple(causes), severity, f"{severity}: failed checks: {listed}", broken, run)
    where = " ".join(part for part in (_some(error.asset.split(", ")), error.day) if part)
    lines = [f"ERROR: {error.pipeline} failed{' at ' if where else ''}{where}", _shown(error)]
    lines += [f"Failed checks: {listed}"] if failed else []
    return Incident((error_cause(error), *causes), severity, "\n".join(lines), broken, run)


def _listed(failed: Iterable[CheckResult]) -> str:
    """Each check once, with its days and broken rows: errors first, then by rows."""
    by_name: dict[str, list[CheckResult]] = {}
    for check in failed:
        by_name.setdefault(f"{check.asset} {check.check_name}", []).append(check)
    texts = [
        (checks[0].severity != ERROR, -sum(map(_broken, checks)), f"{name}{_of_days(checks)}")
        for name, checks in by_name.items()
    ]
    return _some([text for *_, text in sorted(texts)])


def _of_days(checks: Sequence[CheckResult]) -> str:
    days, broken = [check.day for check in checks], sum(map(_broken, checks))
    return (f" ({_span(days)})" if any(days) else "") + (f": {broken:,} rows" if broken else "")


def _broken(check: CheckResult) -> int:
    """The rows that a rule counted; other checks count none."""
    found = json.loads(check.figures or "{}").get("broken")
    return found if isinstance(found, int) else 0


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - SHOWN_NAMES} more" if len(texts) > SHOWN_NAMES else ""
    return ", ".join(texts[:SHOWN_NAMES]) + more


def _span(days: Collection[str]) -> str:
    first, last = min(days), max(days)
    return first if first == last else f"{len(set(days))} days, {first}..{last}"


def _is_ours(error: PipelineError) -> bool:
    """Our own messages name tables, files and settings, never a value. Classes of several errors are joined by ", "."""
    return all(name.startswith("medallion_assets.") for name in error.error_class.split(", "))


def _shown(error: PipelineError) -> str:
    if _is_ours(error):
        names = ", ".join(name.rsplit(".", 1)[-1] for name in error.error_class.split(", "))
        text = "\n".join(error.message.strip().splitlines()[:SHOWN_LINES])
        return f"{names}: {text[:SHOWN_CHARACTERS]}"
    condition = _condition(error)
    return f"{error.error_class}{condition and ' '}{condition}: see the run"


def _condition(error: PipelineError) -> str:
    """Such as [DIVIDE_BY_ZERO], at the start of Spark's message; brackets elsewhere may hold data."""
    if not error.error_class.startswith("pyspark."):
        return ""
    found = re.match(r"\[[A-Z][A-Z0-9_]{2,79}(\.[A-Z0-9_]{2,79})?\]", error.message)
    return found.group() if found else ""
