"""What the heat map shows of each day of a table, and why a day was not published."""

import json
from datetime import datetime, timezone

from medallion_assets.lakehouse.control.run_log import (
    BLOCKED,
    FAILED,
    NO_DATA,
    OK,
    SKIPPED,
    CheckResult,
    RunEntry,
)
from medallion_assets.orchestration.failures import RejectedPartitions
from medallion_assets.report.outcomes import heat_map, reason
from medallion_assets.report.records import Records

ONE, TWO = "2026-01-01", "2026-01-02"
AT = datetime(2026, 1, 9, tzinfo=timezone.utc)


def run(status: str, day: str = ONE, run_id: str = "r", quarantined: int = 0) -> RunEntry:
    return RunEntry("silver/orders", day, run_id, status, "c", AT, rows_in=9, quarantined=quarantined)


def test_the_last_run_of_a_day_counts_and_every_declared_table_has_a_row():
    runs = [run(BLOCKED, ONE), run(OK, ONE, quarantined=2), run(OK, TWO)]
    cells = heat_map(["bronze/orders"], Records([ONE, TWO], runs))
    assert {key: [cell.outcome for cell in row] for key, row in cells.items()} == {
        "bronze/orders": ["NOT_RUN", "NOT_RUN"],
        "silver/orders": ["IN_QUARANTINE", "OK"],
    }
    first, second = cells["silver/orders"]
    assert first.text == f"silver/orders {ONE}: published, with rows in quarantine, 9 rows, 2 in quarantine"
    assert first.is_open and not second.is_open


def test_what_nobody_needs_to_mend_is_not_open():
    found = [heat_map([], Records([ONE], [run(status)]))["silver/orders"][0] for status in (NO_DATA, SKIPPED)]
    assert [cell.is_open for cell in found] == [False, False]


def test_a_refused_day_has_its_own_part_of_what_its_run_said():
    why = {ONE: "silver/orders quarantine_ratio: 2 of 3 rows. Mend the file; the sensor takes it"}
    message = RejectedPartitions({**why, TWO: "silver/orders unique_key: rows 4"}).description or ""
    records = Records([ONE, TWO], errors={"r": message + "\nanother error of the run"})
    assert reason(run(BLOCKED, ONE), records) == why[ONE].removeprefix("silver/orders ")
    assert reason(run(BLOCKED, TWO), records) == "unique_key: rows 4"


def test_a_refused_day_of_which_no_error_speaks_has_what_its_checks_found():
    figures = json.dumps({"ratio": 0.67, "limit": 0.5})
    checks = [
        CheckResult("silver/orders", day, "r", name, False, severity, figures, AT)
        for day, name, severity in (
            (ONE, "quarantine_ratio", "ERROR"),
            (ONE, "stale_days", "WARN"),
            (TWO, "unique_key", "ERROR"),
        )
    ]
    records = Records([ONE], failed_checks=checks)
    assert reason(run(BLOCKED), records) == "quarantine_ratio: ratio 0.67, limit 0.5"


def test_a_failed_day_has_the_message_of_its_run():
    records = Records([ONE], errors={"r": "disk full"})
    assert [reason(run(status), records) for status in (FAILED, OK)] == ["disk full", ""]
