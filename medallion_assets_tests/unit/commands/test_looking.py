"""The commands that look at the lake: what they say of an empty one, and of arguments that do not fit."""

import sys
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from medallion_assets.commands import history, plan, status
from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, LandedEntry, record


@pytest.fixture(autouse=True)
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, folder in (("MEDALLION_LAKEHOUSE", "lake"), ("MEDALLION_LANDING", "landing")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    return tmp_path / "lake"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    def command(module: ModuleType, *words: str) -> int:
        monkeypatch.setattr(sys, "argv", [module.__name__, *words])
        return module.main()

    return command


@pytest.mark.parametrize(
    ("module", "words", "line"),
    [
        (status, [], "No run is recorded in {}."),
        (status, ["--day", "2017-01-05"], "No run is recorded in {} for 2017-01-05."),
        (plan, [], "There is no table in {} yet: nothing would change."),
        (history, ["--table", "orders"], "silver/orders has no version in {}: no run has written it yet."),
    ],
)
def test_an_empty_lake_is_told_in_a_line(module, words, line, run, lake, capsys):
    assert run(module, *words) == 0
    out, errors = capsys.readouterr()
    assert (out.splitlines()[0], errors) == (line.format(lake), "")


@pytest.mark.parametrize(
    ("module", "words", "message"),
    [
        (status, ["--day", "2017-13-45"], "'2017-13-45' is no day: write it as 2017-01-05"),
        (plan, ["--format", "html"], "invalid choice: 'html'"),
        (history, ["--table", ""], "there is no table ''; there are bronze/"),
        (
            history,
            ["--table", "sliver/ordres"],
            "there is no table 'sliver/ordres' (did you mean silver/orders?)",
        ),
        (history, ["--table", "ordres"], "there is no table 'ordres' (did you mean silver/orders?)"),
        (
            history,
            ["--table", "bronz/order"],
            "there is no table 'bronz/order' (did you mean bronze/orders?)",
        ),
        (history, ["--table", "mine/note"], "there is no table 'mine/note' (did you mean mine/notes?)"),
    ],
)
def test_an_argument_that_does_not_fit_exits_2_with_what_was_meant(module, words, message, run, lake, capsys):
    write_deltalake(lake / "mine" / "notes", pa.table({"note": ["n"]}))
    with pytest.raises(SystemExit) as ended:
        run(module, *words)
    assert ended.value.code == 2 and message in capsys.readouterr().err


def test_history_has_any_table_of_the_lake(run, lake: Path, capsys: pytest.CaptureFixture[str]):
    write_deltalake(lake / "mine" / "notes", pa.table({"note": ["n"]}))
    assert run(history, "--table", "mine/notes") == 0
    assert capsys.readouterr().out.splitlines()[0] == "mine/notes: 1 rows in version 0"


def test_a_plan_is_a_table_of_text_or_of_markdown(run, lake: Path, capsys: pytest.CaptureFixture[str]):
    """Of three landed days of products that silver merged under another contract, into a table of one column."""
    days = ["2017-01-01", "2017-01-02", "2017-01-03"]
    write_deltalake(lake / "silver" / "products", pa.table({"product_id": ["p1"]}))
    counts = {"rows": 5, "current": 5, "superseded": 0, "deleted": 0, "quarantined": 0, "score_sum": 5.0}
    landed = [
        LandedEntry("bronze/products", day, f"products/{day}", 1, "t", "loaded", 5, 0, []) for day in days
    ]
    merged = [
        FoldedEntry("silver/products", day, f"products/{day}", 1, "t", "older", **counts) for day in days
    ]
    record(str(lake), LandedEntry, "bronze/products", days, landed)
    record(str(lake), FoldedEntry, "silver/products", days, merged)
    needs, span = "the job full_refresh for silver/products", "3, 2017-01-01 to 2017-01-03"
    assert run(plan) == 0
    text = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert text[2] == f"silver/products {needs} {span} 15"
    assert "silver/products must be rebuilt: it has no keys in the lake, against the contract." in text
    assert run(plan, "--format", "markdown") == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "| table | needs | stale days | rows | seconds | computed again below |",
        "| --- | --- | --- | --: | --- | --- |",
        f"| silver/products | {needs} | {span} | 15 |  |  |",
    ]
