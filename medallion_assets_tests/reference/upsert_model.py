"""What the lake must hold, in plain Python: no Spark, no Delta, and no line shared with the package."""

import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from xxhash import xxh64_intdigest

STATUSES = {"PENDING", "PROCESSING", "SHIPPED", "COMPLETED", "CANCELLED", "RETURNED", "VOID"}
CENT = Decimal("0.01")

Landed = Mapping[tuple[str, str], list[dict[str, Any]]]
"""(ingestion day, file name) -> rows as landed; a missing field is a NULL."""


def validated(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The typed change; None where a rule sends the row to quarantine."""
    op = (row.get("op") or "U").strip().upper()
    key, changed = row.get("order_id") or None, _time(row.get("updated_at"))
    if op not in {"I", "U", "C", "R", "D"} or key is None or changed is None:
        return None
    amount, day = _amount(row.get("order_amount")), _date(row.get("order_date"))
    status = (row.get("order_status") or "").strip().upper() or None
    bad_fields = amount is None or day is None or status not in STATUSES
    if op != "D" and bad_fields:
        return None
    return {
        "order_id": key,
        "customer_id": row.get("customer_id") or None,
        "product_id": row.get("product_id") or None,
        "order_date": day,
        "order_amount": amount,
        "order_status": status,
        "updated_at": changed,
        "is_delete": op == "D",
    }


def fold(landed: Landed) -> dict[str, dict[str, Any]]:
    """Key -> the change that wins, with the ingestion day and file that it came from."""
    best: dict[str, tuple[Any, dict[str, Any]]] = {}
    for (day, name), rows in landed.items():
        for change in last_of_each_time(filter(None, map(validated, rows))):
            business = {name: change[name] for name in change if name != "is_delete"}
            sequence = (change["updated_at"], change["is_delete"], content(business))
            source = (day, f"orders/date={day}/{name}")
            rank = (sequence, tuple(-ord(c) for c in "".join(source)))  # full ties keep the least source
            if change["order_id"] not in best or rank > best[change["order_id"]][0]:
                best[change["order_id"]] = (rank, change | {"source": source})
    return {key: change for key, (_, change) in best.items()}


def last_of_each_time(changes: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Of the changes of one file those that no later record of the same key and time outdates."""
    return {(change["order_id"], change["updated_at"]): change for change in changes}.values()


def quarantined(landed: Landed) -> dict[str, int]:
    """File name with its day -> rows in quarantine."""
    counts = {
        f"orders/date={d}/{name}": sum(validated(row) is None for row in rows)
        for (d, name), rows in landed.items()
    }
    return {path: count for path, count in counts.items() if count}


def daily_sales(
    silver: Iterable[Mapping[str, Any]],
    segment_at: Callable[[str | None, date], str | None],
    categories: Mapping[str, str],
) -> set:
    """Rows of gold.daily_sales, without the time of their computation."""
    groups: dict[tuple, list] = defaultdict(list)
    for row in silver:
        if not row["is_delete"] and row["order_status"] == "COMPLETED":
            segment = segment_at(row["customer_id"], row["order_date"]) or "UNKNOWN"
            category = categories.get(row["product_id"]) or "UNKNOWN"
            groups[row["order_date"], segment, category].append((row["order_amount"], row["customer_id"]))
    return {(*group, *_measures(lines)) for group, lines in groups.items()}


def members(landed: Landed, key: str, field: str) -> dict[str, str]:
    """Member -> its `field` in the latest change; no two changes of a member bear the same time."""
    rows = [row for rows in landed.values() for row in rows]
    changes = sorted((row["updated_at"], row[key], row.get(field) or "") for row in rows)
    return {member: value for _, member, value in changes}


def _measures(lines: list[tuple[Decimal, str | None]]) -> tuple:
    amounts = [amount for amount, _ in lines]
    total = sum(amounts, Decimal(0))
    average = (total / len(amounts)).quantize(CENT, ROUND_HALF_UP)
    customers = {customer for _, customer in lines if customer is not None}
    return len(amounts), total, average, len(customers), min(amounts), max(amounts)


def _amount(text: str | None) -> Decimal | None:
    try:
        number = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or number < 0:
        return None
    rounded = number.quantize(CENT, ROUND_HALF_UP)
    return rounded if rounded < Decimal(10) ** 16 else None


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "").strip())
    except ValueError:
        return None


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.strptime((text or "").strip(), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def content(values: Mapping[str, Any]) -> int:
    """The content hash of a change: of each field that has a value its name, then its value, in any order."""
    found = 0
    for name, value in values.items():
        if value is not None:
            found ^= xxh64_intdigest(_bytes(value), seed=xxh64_intdigest(name.encode(), seed=42))
    return found - 2**64 if found >= 2**63 else found


def _bytes(value: Any) -> bytes:
    """As Spark hashes it: texts as UTF-8, decimals by their cents, dates by their days, times by their microseconds."""
    match value:
        case str():
            return value.encode()
        case Decimal():
            return struct.pack("<q", int(value / CENT))
        case datetime():
            return struct.pack(
                "<q", (value - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)
            )
        case date():
            return struct.pack("<i", (value - date(1970, 1, 1)).days)
        case _:
            raise TypeError(value)


def days_from(first: str, count: int) -> list[str]:
    return [str(date.fromisoformat(first) + timedelta(days=i)) for i in range(count)]
