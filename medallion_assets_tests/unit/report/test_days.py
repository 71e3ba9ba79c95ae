"""Which days the report shows, and that a few commits of ledgers are enough to know them."""

from datetime import datetime, timezone
from pathlib import Path

from medallion_assets.lakehouse.control.run_log import OK, RunEntry, append
from medallion_assets.report.days import days_shown, known_days

AT = datetime(2026, 1, 9, tzinfo=timezone.utc)
DAYS = [f"2026-01-{day:02}" for day in range(1, 32)]


def test_without_a_first_day_the_last_thirty_are_shown():
    assert days_shown(DAYS) == DAYS[1:]
    assert days_shown(DAYS, last="2026-01-05") == DAYS[:5]


def test_a_range_is_shown_whole_also_where_nothing_ran():
    assert days_shown({"2026-01-02"}, "2026-01-01", "2026-01-03") == DAYS[:3]
    assert days_shown({"2026-01-02", "2026-01-04"}) == DAYS[1:4]
    assert days_shown(set(), "2026-01-01", "2026-01-02") == DAYS[:2]
    assert days_shown(DAYS, first="2026-01-30") == DAYS[29:]


def test_of_a_long_range_only_days_of_which_something_is_known_are_shown():
    assert days_shown({"2017-01-01", "2026-01-01"}) == ["2017-01-01", "2026-01-01"]


def test_nothing_known_is_no_day():
    assert days_shown(set()) == [] and days_shown({"2026-01-01"}, first="2026-01-02") == []


def test_the_day_of_a_run_is_known_also_where_bronze_has_no_rows_of_it(tmp_path: Path):
    assert known_days(str(tmp_path), []) == set()
    for day in ("2026-01-05", "2026-01-07"):
        append(str(tmp_path), [RunEntry("bronze/orders", day, "r", OK, "c", AT)])
    assert known_days(str(tmp_path), []) == {"2026-01-05", "2026-01-07"}
