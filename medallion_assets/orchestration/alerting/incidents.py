"""What people are alerted to, and in which words: rows of the run log in, incidents out. No dagster, no clock.

One incident a run, however much failed in it. No text holds a row's value. The message of a foreign error may quote
one, so only the error's class is shown, and of Spark's errors the condition.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from medallion_assets.lakehouse.control.run_log import CheckResult, PipelineError
from medallion_assets.lakehouse.control.streams import is_of_stream

WARN, ERROR = "WARN", "ERROR"
SHOWN_NAMES, SHOWN_LINES, SHOWN_CHARACTERS = 6, 3, 600


@dataclass(frozen=True)
class Incident:
    """causes: names of what failed, which hold no data. An incident is new while one of them has not been sent.

    run_id: of the run that can be looked at; empty where there is none
    """

    causes: tuple[str, ...]
    severity: str
    text: str
    run_id: str = ""


def incidents(
    errors: Sequence[PipelineError],
    checks: Iterable[CheckResult],
    late: Mapping[str, str],
    sensors: Mapping[str, str],
    minimum: str,
) -> list[Incident]:
    """Of the runs, oldest first; then of late tables and dead streams, and of broken sensors (name -> what is wrong).

    minimum: WARN or ERROR, the severity from which a failed check counts
    """
    failed = [check for check in checks if not check.passed]
    error_of = {error.run_id: error for error in errors}
    checks_of: dict[str, list[CheckResult]] = {}
    for check in failed:
        checks_of.setdefault(check.run_id, []).append(check)
    rows = sorted([*errors, *failed], key=lambda row: row.timestamp)
    found = [
        _of_run(run, error_of.get(run), checks_of.get(run, []), minimum)
        for run in dict.fromkeys(row.run_id for row in rows)
    ]
    found += [Incident((text,), ERROR, f"ERROR: {text}") for text in late.values()]
    found += [
        Incident((f"sensor {name}: {text}",), ERROR, f"ERROR: sensor {name} {text}")
        for name, text in sensors.items()
    ]
    return [incident for incident in found if incident.causes]


def _of_run(run: str, error: PipelineError | None, failed: list[CheckResult], minimum: str) -> Incident:
    wanted = [check for check in failed if check.severity == ERROR or minimum == WARN]
    causes = dict.fromkeys(f"{check.asset} check {check.check_name}" for check in wanted)
    severity = ERROR if error or any(check.severity == ERROR for check in failed) else WARN
    listed, run = _listed(failed), "" if is_of_stream(run) else run
    if error is None:
        return Incident(tuple(causes), severity, f"{severity}: failed checks: {listed}", run)
    where = " ".join(part for part in (_some(error.asset.split(", ")), error.day) if part)
    lines = [f"ERROR: {error.pipeline} failed{' at ' if where else ''}{where}", _shown(error)]
    lines += [f"Failed checks: {listed}"] if failed else []
    return Incident((_cause(error), *causes), severity, "\n".join(lines), run)


def _listed(failed: Iterable[CheckResult]) -> str:
    """Each check once, with its days."""
    days: dict[str, list[str]] = {}
    for check in failed:
        days.setdefault(f"{check.asset} {check.check_name}", []).append(check.day)
    texts = [f"{name} ({_span(found)})" if any(found) else name for name, found in sorted(days.items())]
    return _some(texts)


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


def _cause(error: PipelineError) -> str:
    """With a digest of the message, without the numbers (tasks, addresses) that differ each time in foreign errors."""
    message = error.message
    if not _is_ours(error):
        first = message.replace(error.run_id, "").strip().partition("\n")[0]
        message = re.sub(r"0x[0-9a-f]+|\d+", "", first)
    digest = hashlib.sha256(message.encode()).hexdigest()[:16]
    return " ".join(part for part in (error.asset or error.pipeline, error.error_class, digest) if part)
