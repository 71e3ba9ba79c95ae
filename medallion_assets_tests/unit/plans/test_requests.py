"""What the sensors ask for, decided on plain values."""

from medallion_assets.contracts.days import ranges
from medallion_assets.orchestration.sensors.requests import Memory, ask_once, days_to_land, lost_days
from medallion_assets_tests.reference.upsert_model import days_from

ORDERS, CUSTOMERS = "bronze/orders", "bronze/customers"


def test_adjacent_days_are_one_request_and_a_backlog_is_a_few():
    assert ranges(["2026-01-03", "2026-01-01", "2026-01-02", "2026-01-05"]) == [
        ("2026-01-01", "2026-01-03"),
        ("2026-01-05", "2026-01-05"),
    ]
    backlog = days_from("2025-01-01", 400)
    assert [first for first, _ in ranges(backlog)] == [backlog[0], backlog[100], backlog[200], backlog[300]]
    assert ranges(["2026-02-28", "2026-03-01"]) == [("2026-02-28", "2026-03-01")]
    assert ranges([]) == []


def test_a_day_is_asked_for_once_it_has_settled_and_only_once():
    landed, taken = {(ORDERS, "2026-01-01"): "a"}, {}
    requests, memory = days_to_land(landed, taken, Memory(), free_slots=4)
    assert requests == []  # first seen: it may still be growing
    landed = {(ORDERS, "2026-01-01"): "b"}
    requests, memory = days_to_land(landed, taken, memory, free_slots=4)
    assert requests == []
    requests, memory = days_to_land(landed, taken, memory, free_slots=4)
    assert [(r.first, r.last, r.tables) for r in requests] == [
        ("2026-01-01", "2026-01-01", frozenset({ORDERS}))
    ]
    assert days_to_land(landed, taken, memory, free_slots=4)[0] == []
    taken = {(ORDERS, "2026-01-01"): "b"}
    requests, memory = days_to_land(landed, taken, memory, free_slots=4)
    assert requests == [] and memory == Memory({}, {})


def test_a_request_names_the_tables_that_changed_in_its_range():
    landed = {(ORDERS, "2026-01-01"): "a", (CUSTOMERS, "2026-01-02"): "c", (ORDERS, "2026-01-09"): "d"}
    requests, _ = days_to_land(landed, {}, Memory(seen=landed), free_slots=4)
    assert [(r.first, r.last, sorted(r.tables)) for r in requests] == [
        ("2026-01-01", "2026-01-02", [CUSTOMERS, ORDERS]),
        ("2026-01-09", "2026-01-09", [ORDERS]),
    ]


def test_what_finds_no_room_is_asked_for_later():
    landed = {(ORDERS, f"2026-01-{day:02d}"): "a" for day in (1, 3, 5)}
    requests, memory = days_to_land(landed, {}, Memory(seen=landed), free_slots=2)
    assert [r.first for r in requests] == ["2026-01-01", "2026-01-03"]
    assert days_to_land(landed, {}, memory, free_slots=0)[0] == []
    requests, _ = days_to_land(landed, {}, memory, free_slots=1)
    assert [r.first for r in requests] == ["2026-01-05"]


def test_a_day_that_lost_all_its_files_is_told_and_not_asked_for():
    taken = {(ORDERS, "2026-01-01"): "a"}
    assert days_to_land({}, taken, Memory(), free_slots=4)[0] == []
    assert lost_days({}, taken) == [(ORDERS, "2026-01-01")]


def test_a_state_is_asked_for_once_and_again_when_it_changes():
    names, asked = ask_once({"a": "1", "b": "1"}, {}, free_slots=1)
    assert names == ["a"]
    names, asked = ask_once({"a": "1", "b": "1"}, asked, free_slots=4)
    assert names == ["b"]
    assert ask_once({"a": "1", "b": "1"}, asked, free_slots=4)[0] == []
    assert ask_once({"a": "2", "b": "1"}, asked, free_slots=4)[0] == ["a"]
    assert ask_once({}, asked, free_slots=4) == ([], {})


def test_what_was_asked_of_a_busy_table_is_remembered_when_its_run_fails():
    names, asked = ask_once({"a": "1"}, {}, free_slots=1)
    assert names == ["a"]
    names, asked = ask_once({"a": "1"}, asked, free_slots=1, busy={"a"})  # the run goes on
    assert names == [] and asked == {"a": "1"}
    assert ask_once({"a": "1"}, asked, free_slots=1)[0] == []  # it failed: nothing has changed since
    assert ask_once({"a": "2"}, asked, free_slots=1, busy={"a"}) == ([], {})
