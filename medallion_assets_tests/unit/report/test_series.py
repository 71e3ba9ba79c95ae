"""Figures over days, from literal rows of the control tables."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, LandedEntry
from medallion_assets.lakehouse.control.run_log import BLOCKED, OK, CheckResult, RunEntry
from medallion_assets.report import series
from medallion_assets.report.records import Records
from medallion_assets.tables import find_tables

TABLES: dict[str, Any] = find_tables()  # of their own kinds
AT = datetime(2026, 1, 3, tzinfo=timezone.utc)
ONE, TWO, THREE = DAYS = ["2026-01-01", "2026-01-02", "2026-01-03"]


def landed(day: str, rows: int) -> LandedEntry:
    return LandedEntry("bronze/orders", day, f"{day}.csv", 1, "", "loaded", rows, 0, [])


def folded(day: str, current: int, quarantined: int = 0, score: float = 0.0, **more: int) -> FoldedEntry:
    counts = (current + quarantined + sum(more.values()), current, more.get("superseded", 0), 0, quarantined)
    broken = {"order_status_one_of": quarantined} if quarantined else {}
    return FoldedEntry(
        "silver/orders", day, f"{day}.csv", 1, "", "f", *counts, score, broken, void=more.get("void", 0)
    )


def run(
    asset: str, day: str, hour: int, status: str = OK, wrote: bool = True, seconds: float = 1.5
) -> RunEntry:
    at = datetime(2026, 1, 3, hour, tzinfo=timezone.utc)
    return RunEntry(
        asset, day, "r", status, "c", at, seconds=seconds, version_before=1, version_after=1 + wrote
    )


def test_every_landed_row_has_one_outcome_or_waits():
    files = [folded(ONE, current=7, quarantined=2, superseded=1), folded(TWO, current=4, void=1)]
    records = Records(DAYS, landed=[landed(ONE, 10), landed(TWO, 5), landed(THREE, 6)], folded=files)
    outcomes = series.rows_by_outcome(TABLES["silver/orders"], records)
    assert outcomes == {
        "current": [7, 4, 0],
        "superseded": [1, 0, 0],
        "void": [0, 1, 0],
        "quarantined": [2, 0, 0],
        "refused or waiting": [0, 0, 6],
    }
    assert [sum(day) for day in zip(*outcomes.values(), strict=True)] == [10, 5, 6]
    assert series.landed_rows(TABLES["silver/orders"], records) == [10, 5, 6]
    assert series.landed_rows(TABLES["silver/products"], records) == [0, 0, 0]


def test_void_rows_have_no_score_and_a_day_without_rows_has_none():
    files = [folded(ONE, current=1, quarantined=1, score=150.0, void=2)]
    assert series.quality_scores(Records(DAYS, folded=files)) == {"silver/orders": [75.0, None, None]}
    assert series.broken_by_rule(Records(DAYS, folded=files)) == {
        "silver/orders order_status_one_of": [1, 0, 0]
    }


def test_of_a_refused_day_the_rules_are_those_that_its_checks_found_broken():
    checks = [
        CheckResult("silver/orders", ONE, run_id, name, False, "WARN", json.dumps(figures), AT)
        for run_id, name, figures in (
            ("r", "order_status_one_of", {"broken": 5, "rows": 9}),
            ("r", "stale_days", {"count": 1}),
            ("older", "order_status_one_of", {"broken": 7, "rows": 9}),
        )
    ]
    files = [
        folded(ONE, current=1, quarantined=1),
        folded(TWO, current=1, quarantined=2),
    ]  # as published before
    records = Records(
        DAYS, [run("silver/orders", ONE, 1, status=BLOCKED)], folded=files, failed_checks=checks
    )
    assert series.broken_by_rule(records) == {"silver/orders order_status_one_of": [5, 2, 0]}


def test_the_smallest_series_beyond_eight_are_one():
    many = series.largest(series.by_day([ONE], [(f"rule {n}", ONE, n) for n in range(1, 13)]))
    assert [*many] == [f"rule {n}" for n in range(12, 4, -1)] + ["all others"]
    assert many["all others"] == [1 + 2 + 3 + 4]


def test_seconds_are_those_of_all_runs_of_a_layer():
    runs = [run("gold/a", ONE, 1), run("gold/b", ONE, 1), run("bronze/a", TWO, 2)]
    assert series.seconds_by_layer(Records(DAYS, runs)) == {"bronze": [0, 1.5, 0], "gold": [3.0, 0, 0]}


def test_a_day_is_touched_by_a_later_run_that_wrote_its_table_after_it_was_published():
    runs = [
        *(run("gold/a", ONE, hour) for hour in (1, 2, 3)),
        *(run("gold/b", ONE, hour, wrote=hour == 1) for hour in (1, 2)),
        run("silver/a", TWO, 1, status=BLOCKED),
        run("silver/a", TWO, 2),
    ]
    assert series.written_again(Records(DAYS, runs)) == {"gold": [1, 0, 0]}


def test_a_late_day_was_published_after_it_was_due_or_is_not_yet():
    sales = TABLES["gold/daily_sales"]
    assert sales.due == timedelta(hours=6)
    runs = [run(sales.key, ONE, 8), run(sales.key, ONE, 9), run(sales.key, TWO, 5)]
    now = datetime(2026, 1, 4, 7, tzinfo=timezone.utc)
    found = series.late_days(TABLES.values(), Records(DAYS, runs), now)
    assert [(late.day, late.since and late.since.hour, late.late) for late in found] == [
        (THREE, None, timedelta(hours=1)),
        (ONE, 8, timedelta(days=1, hours=2)),
    ]
