"""`make sql`: the lake's tables as views of DuckDB, over Delta tables that delta-rs wrote."""

import io
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from medallion_assets.commands import sql

ONE, TWO = date(2026, 1, 1), date(2026, 1, 2)
Run = Callable[..., tuple[int, list[str], list[str]]]


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDALLION_LAKEHOUSE", str(tmp_path))
    return tmp_path


@pytest.fixture
def orders(lake: Path) -> Path:
    """Three orders of two days, and a table in a folder of somebody's own."""
    rows = pa.table({"order_id": ["o1", "o2", "o3"], "order_date": [ONE, ONE, TWO], "amount": [1, 2, 4]})
    write_deltalake(lake / "silver" / "orders", rows, partition_by=["order_date"])
    write_deltalake(lake / "my-notes" / "by order", pa.table({"order_id": ["o3"], "note": ["late"]}))
    return lake / "silver" / "orders"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command with a query, or (None) with lines for its prompt; returns exit code, output and errors."""

    def command(query: str | None, *lines: str) -> tuple[int, list[str], list[str]]:
        monkeypatch.setattr(sys, "argv", ["sql", *([f"--query={query}"] if query else [])])
        monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
        code = sql.main()
        out, errors = capsys.readouterr()
        return code, [" ".join(line.split()) for line in out.splitlines()], errors.splitlines()

    return command


def test_each_table_is_a_view_of_its_folder(orders: Path, run: Run):
    query = 'SELECT order_id, amount, note FROM silver.orders JOIN "my-notes"."by order" USING (order_id)'
    code, out, errors = run(query)
    assert (code, errors) == (0, [])
    assert [out[0], *out[2:]] == ["order_id amount note", "o3 4 late"]


def test_a_query_of_one_day_reads_the_files_of_that_day(orders: Path, run: Run):
    for file in (orders / f"order_date={TWO}").iterdir():
        file.unlink()
    total = "SELECT sum(amount) FROM silver.orders"
    assert run(f"{total} WHERE order_date = '{ONE}'")[1][2:] == ["3"]
    code, out, errors = run(total)
    assert (code, out, len(errors)) == (1, [], 1) and f"order_date={TWO}" in errors[0]


def test_a_wrong_query_is_told_in_one_line_and_exits_1(orders: Path, run: Run):
    assert run("SELEC 1") == (1, [], ['Parser Error: syntax error at or near "SELEC"'])
    code, _, (error,) = run("SELECT amont FROM silver.orders")
    assert code == 1 and '"amont" not found' in error and '"amount"' in error


def test_a_table_that_cannot_be_read_keeps_no_other_back(orders: Path, run: Run):
    log = orders.parents[1] / "silver" / "torn" / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").touch()
    code, out, (error,) = run("SELECT count(*) FROM silver.orders")
    assert (code, out[2:]) == (0, ["3"])
    assert error.startswith("silver/torn cannot be read: ")


def test_nothing_is_written_through_a_view(orders: Path, run: Run):
    code, _, errors = run("INSERT INTO silver.orders SELECT * FROM silver.orders")
    assert (code, len(errors)) == (1, 1)
    assert DeltaTable(orders).version() == 0


def test_the_prompt_takes_queries_of_several_lines_and_goes_on_after_an_error(orders: Path, run: Run):
    lines = (
        ".tables",
        "SELECT count(*) AS n",
        "  FROM silver.orders;",
        "SELEC 1;",
        "SELECT 7 AS m;",
        ".quit",
        "x;",
    )
    code, out, errors = run(None, *lines)
    assert (code, len(errors)) == (0, 1)
    assert [word for line in out[1:] for word in line.split() if word not in ("sql>", "...>")] == [
        *("my-notes.by", "order", "silver.orders"),
        *("n", "-", "3"),
        *("m", "-", "7"),
    ]


def test_each_query_of_the_prompt_sees_the_tables_as_they_are(
    orders: Path, lake: Path, capsys: pytest.CaptureFixture[str]
):
    prompt = sql.Prompt(sql.LakeSql(str(lake)))
    prompt.onecmd("SELECT sum(amount) FROM silver.orders;")
    more = pa.table({"order_id": ["o4"], "order_date": [TWO], "amount": [8]})
    write_deltalake(orders, more, mode="append")
    prompt.onecmd("SELECT sum(amount) FROM silver.orders;")
    assert [word for word in capsys.readouterr().out.split() if word.isdigit()] == ["7", "15"]


def test_an_empty_lake_is_told(lake: Path, run: Run):
    code, out, errors = run("SELECT 1 AS one")
    assert (code, out[2:]) == (0, ["1"])
    assert errors == [f"There is no table in {lake} yet: `make demo` makes some."]
