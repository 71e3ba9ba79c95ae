"""What the history (SCD2) of the customers must hold, in plain Python: no Spark, no line shared with the package."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timezone
from itertools import groupby
from typing import Any, NamedTuple

from medallion_assets_tests.reference.upsert_model import Landed, content

Sequence = tuple[datetime, int, bool, int]
"""Time, nanoseconds beyond its microseconds, delete after upsert, content."""
Source = tuple[str, str]


class Change(NamedTuple):
    customer_id: str
    customer_segment: str | None
    age: str | None
    sequence: Sequence
    source: Source

    @property
    def at(self) -> datetime:
        return self.sequence[0]

    @property
    def is_delete(self) -> bool:
        return self.sequence[2]

    @property
    def state(self) -> tuple:
        """What neighbours must share to be one interval, or one gap."""
        return (True,) if self.is_delete else (False, self.customer_segment)


class Interval(NamedTuple):
    """One stored row; a tombstone has `deleted_at`."""

    customer_id: str
    customer_segment: str | None
    age: str | None
    updated_at: datetime | None
    valid_from: datetime
    valid_to: datetime | None
    is_current: bool
    deleted_at: datetime | None
    sequence: Sequence
    source: Source


def validated(row: Mapping[str, Any], source: Source = ("", "")) -> Change | None:
    """The typed change; None where a rule sends the row to quarantine."""
    op = (row.get("op") or "U").strip().upper()
    key, at = _filled(row.get("customer_id")), _time(row.get("updated_at"))
    if op not in {"I", "U", "C", "R", "D"} or key is None or at is None:
        return None
    fields = {"customer_segment": _filled(row.get("customer_segment")), "age": row.get("age") or None}
    hash_ = content({"customer_id": key, "updated_at": at, **fields})
    return Change(key, **fields, sequence=(at, 0, op == "D", hash_), source=source)


def changes(landed: Landed) -> list[Change]:
    """All good changes, from wherever they came."""
    sources = {(day, name): (day, f"customers/date={day}/{name}") for day, name in landed}
    found = (validated(row, sources[file]) for file, rows in landed.items() for row in rows)
    return [change for change in found if change is not None]


def that_speak(landed: Landed) -> list[Change]:
    """The good changes that no later record of their file outdates, which tells of the same key and time."""
    return list({(one.customer_id, one.at, one.source): one for one in changes(landed)}.values())


def intervals(landed: Landed) -> set[Interval]:
    """All rows that are stored."""
    per_key = defaultdict(list)
    for change in that_speak(landed):
        per_key[change.customer_id].append(change)
    return {row for own in per_key.values() for row in _history(own)}


def latest(landed: Landed) -> dict[str, Change]:
    """SCD1: key -> the change that wins, be it a delete; told without a word of intervals."""
    best: dict[str, Change] = {}
    for change in sorted(that_speak(landed), key=lambda one: one.source):  # full ties keep the least source
        if change.customer_id not in best or change.sequence > best[change.customer_id].sequence:
            best[change.customer_id] = change
    return best


def segment_at(rows: Iterable[Interval], customer: str | None, day: date) -> str | None:
    """The segment at the start of the day: before the first version that of the first, in a gap none."""
    at = datetime.combine(day, datetime.min.time(), timezone.utc)
    own = sorted(
        (one for one in rows if one.customer_id == customer and one.deleted_at is None),
        key=lambda one: one.valid_from,
    )
    valid = [one for one in own if one.valid_from <= at and (one.valid_to is None or at < one.valid_to)]
    first = own[:1] if own and at < own[0].valid_from else []
    assert len(valid) + len(first) <= 1
    return next((one.customer_segment for one in valid + first), None)


def outcomes(landed: Landed, day: str) -> dict[str, int]:
    """Fate -> rows of the day, once all of `landed` is folded; of equal rows in one file only one can win."""
    rows = sum(len(rows) for (other, _), rows in landed.items() if other == day)
    good = sum(change.source[0] == day for change in changes(landed))
    winners = [change for change in latest(landed).values() if change.source[0] == day]
    deleted = sum(change.is_delete for change in winners)
    return {
        "current": len(winners) - deleted,
        "superseded": good - len(winners),
        "deleted": deleted,
        "quarantined": rows - good,
    }


def quarantined(landed: Landed) -> dict[str, int]:
    """File with its day -> rows in quarantine."""
    counts = {
        f"customers/date={day}/{name}": sum(validated(row) is None for row in rows)
        for (day, name), rows in landed.items()
    }
    return {path: count for path, count in counts.items() if count}


def _history(own: list[Change]) -> Iterator[Interval]:
    """The rows of one key."""
    runs = [list(run) for _, run in groupby(_visible(own), key=lambda change: change.state)]
    ends = [run[0].at for run in runs[1:]] + [None]
    for run, end in zip(runs, ends, strict=True):
        first, last = run[0], run[-1]
        if not last.is_delete:
            fields = (last.customer_segment, last.age, last.at, first.at, end, end is None, None)
        elif end is None:
            fields = (None, None, None, first.at, None, False, last.at)
        else:  # a gap is where no row is
            continue
        yield Interval(last.customer_id, *fields, sequence=last.sequence, source=last.source)


def _visible(own: list[Change]) -> list[Change]:
    """The last change of each time, in order; of full ties that with the least source."""
    by_source = sorted(own, key=lambda change: change.source, reverse=True)
    ordered = sorted(by_source, key=lambda change: change.sequence)
    return list({change.at: change for change in ordered}.values())


def _filled(text: str | None) -> str | None:
    return text if text and text.strip() else None


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.strptime((text or "").strip(), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
