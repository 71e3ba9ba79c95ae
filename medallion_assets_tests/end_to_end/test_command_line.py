"""What users type: Dagster's own command line in a process of its own, and the commands behind `make`.

Those that need Spark are called in the tests' process, since a cold Spark costs a minute; the others are processes.
"""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from deltalake import DeltaTable
from playwright.sync_api import Page, expect
from pyspark.sql import SparkSession

from medallion_assets.commands import checks, history, plan, replay, report, sql, status
from medallion_assets_tests.support.browser import chromium
from medallion_assets_tests.support.sample_lake import as_csv, order

ONE, TWO = "2026-01-01", "2026-01-02"
SCREENS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (1280, "dark"), (390, "light"))
HOSTILE = "<script>document.title = 'taken'</script>"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two landed days, the second of which is bad."""
    root = tmp_path_factory.mktemp("cli")
    days = {
        ONE: [order("o1", day=ONE)],
        TWO: [order("o2", day=TWO), order("x", amount="?", customer_id=HOSTILE), order("y", amount="?")],
    }
    for source in ("customers", "products"):
        (root / "landing" / source).mkdir(parents=True)
    for day, rows in days.items():
        folder = root / "landing" / "orders" / f"date={day}"
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text(as_csv(rows))
    (root / "home").mkdir()
    return root


@pytest.fixture(scope="module")
def materialized(home: Path) -> CompletedProcess[str]:
    """Both days, by Dagster's own command."""
    command = ("dagster", "asset", "materialize", "-m", "medallion_assets.definitions", "--select", "*")
    return call(home, *command, "--partition-range", f"{ONE}...{TWO}")


@pytest.fixture
def look(
    home: Path,
    materialized: CompletedProcess[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., CompletedProcess[str]]:
    """Runs a command in this process, over the materialized days, as `python -m` would."""
    for name, place in places(home).items():
        monkeypatch.setenv(name, place)

    def command(module: ModuleType, *words: str) -> CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", [module.__name__, *words])
        capsys.readouterr()
        return CompletedProcess(sys.argv, module.main(), *capsys.readouterr())

    return command


@pytest.fixture
def run(
    spark: SparkSession, look: Callable[..., CompletedProcess[str]]
) -> Callable[..., CompletedProcess[str]]:
    """The same for a command that needs Spark."""
    return look


def places(home: Path) -> dict[str, str]:
    folders = {"MEDALLION_LANDING": "landing", "MEDALLION_LAKEHOUSE": "lake", "DAGSTER_HOME": "home"}
    return {name: str(home / folder) for name, folder in folders.items()}


def call(home: Path, *command: str) -> CompletedProcess[str]:
    environment = os.environ | places(home)
    return subprocess.run(
        [sys.executable, "-m", *command], env=environment, cwd=home, capture_output=True, text=True
    )


def test_a_range_with_a_bad_day_exits_1_names_the_day_and_keeps_the_good_one(
    home: Path, materialized: CompletedProcess[str]
):
    assert materialized.returncode == 1
    assert f"rejected by a blocking check: {TWO}: silver/orders quarantine_ratio" in materialized.stderr
    gold = DeltaTable(str(home / "lake" / "gold" / "daily_sales")).to_pyarrow_table().to_pylist()
    assert [(str(row["order_date"]), row["order_count"]) for row in gold] == [(ONE, 1)]
    assert (home / "home" / "storage" / "report" / "report.html").exists()  # an asset of all


def test_checks_exit_1_for_an_error_and_show_the_rows(run: Callable[..., CompletedProcess[str]]):
    done = run(checks, "--from", ONE, "--to", TWO)
    assert done.returncode == 1, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.split()[3:4] == ["quarantine_ratio"]]
    assert line.split()[:3] == ["ERROR", TWO, "silver/orders"]
    assert "order_amount_is_decimal: {'order_id': 'x'" in done.stdout


@pytest.mark.long
def test_checks_of_a_good_day_exit_0(run: Callable[..., CompletedProcess[str]]):
    done = run(checks, "--day", ONE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "command, arguments, message",
    [
        ("checks", [], "error: say which days: DAY=2017-01-05"),
        ("checks", ["--day", "1999-01-01"], "1999-01-01 is outside the calendar: MEDALLION_FIRST_DAY="),
        ("checks", ["--day", "2017-13-45"], "'2017-13-45' is no day: write it as 2017-01-05"),
        ("checks", ["--from", TWO, "--to", ONE], f"error: FROM={TWO} is after TO={ONE}"),
        (
            "replay",
            ["--table", "order"],
            "there is no table 'order' (did you mean silver/orders?); there are silver/",
        ),
        ("rollback", ["--table", "silver/ordres"], "did you mean silver/orders?"),
        (
            "rollback",
            ["--table", "gold/orders"],
            "there is no table 'gold/orders' (did you mean silver/orders?)",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(home: Path, command: str, arguments: list[str], message: str):
    done = call(home, f"medallion_assets.commands.{command}", *arguments)
    assert done.returncode == 2 and message in done.stderr.splitlines()[-1]


def test_watermarks_say_how_far_each_table_reaches(home: Path, materialized: CompletedProcess[str]):
    done = call(home, "medallion_assets.commands.watermarks")
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.split()[:1] == ["silver/orders"]]
    assert line.split()[1:5] == ["2026-01-01", "10:00:00", "SUCCESS", "4"]


def test_status_shows_a_line_a_table_with_what_came_of_its_day(look: Callable[..., CompletedProcess[str]]):
    lines = {line.split()[0]: line.split()[1:] for line in look(status).stdout.splitlines()}
    assert lines["bronze/orders"][:3] == [TWO, "OK", "3"]
    assert lines["silver/orders"][:4] == [TWO, "BLOCKED", "3", "2"]
    assert lines["gold/daily_sales"][:2] == [TWO, "SKIPPED"]
    lines = {line.split()[0]: line.split()[1:] for line in look(status, "--day", ONE).stdout.splitlines()}
    assert lines["silver/orders"][:4] == [ONE, "OK", "1", "0"]
    assert lines["gold/daily_sales"][:3] == [ONE, "OK", "1"]


def test_plan_has_nothing_to_change_after_a_run(home: Path, look: Callable[..., CompletedProcess[str]]):
    follows = f"Nothing would change: what is stored in {home / 'lake'} follows the contracts."
    assert look(plan).stdout.splitlines() == [follows]


def test_history_shows_the_run_of_each_version(look: Callable[..., CompletedProcess[str]]):
    ledger = look(
        sql, "--query=SELECT run_id FROM control.run_ledger WHERE asset = 'gold/daily_sales'"
    ).stdout
    run_id = ledger.split()[2]
    title, _, _, *versions = look(history, "--table", "gold/daily_sales").stdout.splitlines()
    assert title == "gold/daily_sales: 1 rows in version 0"
    assert [line.split()[3:] for line in versions] == [["WRITE", run_id[:8], "1"]]


@pytest.mark.long
def test_replay_names_a_day_that_is_still_held_back(run: Callable[..., CompletedProcess[str]]):
    done = run(replay, "--table", "orders")
    assert done.returncode == 1
    assert f"rejected by a blocking check: {TWO}: silver/orders quarantine_ratio" in done.stderr


@pytest.mark.long
def test_the_notebook_runs_from_its_folder_and_is_stored_without_results(
    look: Callable[..., CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
):
    notebook = Path(__file__).parents[2] / "notebooks" / "explore.ipynb"
    monkeypatch.chdir(notebook.parent)
    cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    assert all((cell["outputs"], cell["execution_count"]) == ([], None) for cell in cells)
    names: dict[str, Any] = {}
    shown = [result_of("".join(cell["source"]), names) for cell in cells]
    rows, gold, seconds = (one._repr_html_() for one in shown[1:])
    assert "silver/orders" in rows and "_gold_created_timestamp" in gold
    assert TWO in seconds and "linear-gradient" in seconds


def result_of(cell: str, names: dict[str, Any]) -> Any:
    """What a notebook shows below a cell: the value of its last expression."""
    *before, last = ast.parse(cell).body
    exec(compile(ast.Module(before, []), "cell", "exec"), names)
    if isinstance(last, ast.Expr):
        return eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    return exec(compile(ast.Module([last], []), "cell", "exec"), names)


def test_the_report_shows_the_refused_day_and_why_in_light_dark_and_on_a_phone(
    run: Callable[..., CompletedProcess[str]], home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(home)
    done = run(report, "--from", ONE, "--to", TWO)
    path, summary = done.stdout.splitlines()
    assert done.returncode == 0 and path == str(home / "build" / "report.html")
    figures = "4 rows landed, 2 rows in quarantine, 1 refused, 0 failed, 100.00 quality score"
    assert summary == f"{ONE} to {TWO}, {figures}"
    with chromium() as browser:
        page, heard = browser.new_page(), list[str]()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: heard.append(request.url))
        page.goto(f"file://{path}")
        grounds = [_ground(page, width, scheme) for width, scheme in SCREENS]
        assert grounds == ["rgb(255, 255, 255)", "rgb(27, 33, 43)", "rgb(255, 255, 255)"]
        page.locator(f".heat a.BLOCKED[title^='silver/orders {TWO}']").click()
        refused = page.locator("details", has_text=f"silver/orders {TWO}: refused by a blocking check")
        expect(refused.locator(".reason")).to_contain_text("quarantine_ratio: 2 of 3 rows (67%, limit 50%)")
        expect(refused.get_by_role("cell", name=HOSTILE, exact=True)).to_have_count(1)
        assert page.title() == f"The lake, {ONE} to {TWO}"
        assert heard == [f"file://{path}"]  # nothing was loaded, and nothing failed


def _ground(page: Page, width: int, scheme: Literal["light", "dark"]) -> str:
    """The colour of the ground of a chart on such a screen, which the page is no wider than; a picture is kept."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    ground = page.locator(".chart .main-svg").first
    expect(ground).to_be_visible()
    page.screenshot(path=urlsplit(page.url).path + f".{width}.{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    return ground.evaluate("one => getComputedStyle(one).backgroundColor")
