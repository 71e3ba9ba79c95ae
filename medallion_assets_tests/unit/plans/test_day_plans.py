"""The pure decisions: which files of a day are read, and how a day of silver is brought up to date."""

from medallion_assets.lakehouse.bronze.plan import DayChange, day_change
from medallion_assets.lakehouse.silver.plan import DayPlan, Merge, plan_day

A, A2, B = (1, "t1"), (1, "t2"), (5, "t1")


def change(read=(), replaced=(), whole=False):
    return DayChange(frozenset(read), frozenset(replaced), whole)


def test_a_new_day_is_read_and_replaces_nothing():
    assert day_change({"a": A, "b": B}, {}, has_rows=False) == change(read=["a", "b"])


def test_an_unchanged_day_is_left_alone():
    assert day_change({"a": A}, {"a": A}, has_rows=True) == change()


def test_only_the_new_file_of_a_day_is_read():
    assert day_change({"a": A, "b": B}, {"a": A}, has_rows=True) == change(read=["b"])


def test_a_changed_file_replaces_its_own_rows():
    assert day_change({"a": A2, "b": B}, {"a": A, "b": B}, has_rows=True) == change(
        read=["a"], replaced=["a"]
    )


def test_a_vanished_file_takes_its_rows_along():
    assert day_change({"a": A}, {"a": A, "b": B}, has_rows=True) == change(replaced=["b"])


def test_rows_that_no_ledger_knows_leave_only_the_whole_day():
    assert day_change({"a": A}, {}, has_rows=True) == change(read=["a"], whole=True)
    assert day_change({}, {}, has_rows=True) == change(whole=True)


def test_of_a_first_day_all_files_are_added():
    assert plan_day({"a": A}, {}, [], "f") == DayPlan(Merge.ADDED, frozenset("a"))


def test_only_added_files_are_merged():
    assert plan_day({"a": A, "b": B}, {"a": A}, ["f"], "f") == DayPlan(Merge.ADDED, frozenset("b"))


def test_added_files_whose_merge_nobody_ended_are_merged_again_and_a_whole_day_is_restated():
    both, whole = {"a": A, "b": B}, DayPlan(Merge.RESTATE, frozenset("ab"))
    assert plan_day(both, both, ["f"], "f", begun="b") == DayPlan(Merge.ADDED, frozenset("b"))
    assert plan_day(both | {"c": A}, both, ["f"], "f", begun="b") == DayPlan(Merge.ADDED, frozenset("bc"))
    assert plan_day(both, both, [], "f", begun="ab") == whole
    assert plan_day(both, {"a": A}, [], "f", begun="a") == whole
    assert plan_day(both, {"a": A, "b": A2}, ["f"], "f", begun="b") == whole
    assert plan_day(both, both, ["older"], "f", begun="b") == whole


def test_nothing_new_is_nothing_to_do():
    assert plan_day({"a": A}, {"a": A}, ["f"], "f") == DayPlan(Merge.NOTHING, frozenset())


def test_a_changed_file_a_vanished_file_and_a_changed_contract_restate_the_day():
    whole = DayPlan(Merge.RESTATE, frozenset("a"))
    assert plan_day({"a": A2}, {"a": A}, ["f"], "f") == whole
    assert plan_day({"a": A}, {"a": A, "b": B}, ["f"], "f") == whole
    assert plan_day({"a": A}, {"a": A}, ["older"], "f") == whole
    assert plan_day({}, {"a": A}, ["f"], "f") == DayPlan(Merge.RESTATE, frozenset())
