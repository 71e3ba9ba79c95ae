"""The page of a lake of ledgers alone: what it says of an empty one, and that nothing in it can be more than text."""

import re
import sys
from datetime import datetime, timezone
from importlib.resources import files
from pathlib import Path

import dagster as dg
import pytest

from medallion_assets.commands import report
from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, record
from medallion_assets.lakehouse.control.run_log import FAILED, OK, PipelineError, RunEntry, append
from medallion_assets.orchestration.assets.report import build_report_asset
from medallion_assets.orchestration.failures import RetrySettings
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.report.build import Report, build_report
from medallion_assets.tables import find_tables

TABLES = find_tables()
AT = datetime(2026, 1, 9, tzinfo=timezone.utc)
ONE, TWO, THREE = DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
HOSTILE = "</script><script src=//elsewhere>"


def hostile_lake(root: str) -> Report:
    """A table, a rule and an error whose texts would be HTML if they could."""
    runs = [RunEntry("silver/orders", day, "r", FAILED, "c", AT) for day in DAYS[1:]]
    append(root, [RunEntry(f"gold/{HOSTILE}", ONE, "r", OK, "c", AT, seconds=1.0), *runs])
    append(root, [PipelineError("p", "silver/orders", "", "r", "E", f"no file {HOSTILE}", "", AT)])
    file = FoldedEntry("silver/orders", ONE, "a", 1, "", "f", 1, 0, 0, 0, 1, 0.0, {HOSTILE: 1})
    record(root, FoldedEntry, "silver/orders", [ONE], [file])
    return build_report(root, TABLES)


def own_text(html: str) -> str:
    """The page without the text of the library."""
    library = (files("plotly.package_data") / "plotly.min.js").read_text(encoding="utf-8")
    assert html.count(library) == 1
    return html.replace(library, "")


def test_texts_of_the_data_are_inert_and_nothing_is_loaded(tmp_path: Path):
    page = own_text(hostile_lake(str(tmp_path)).html)
    assert (
        page.count("<script") == page.count("</script>") == 2 + page.count('<script type="application/json">')
    )
    assert "&lt;/script&gt;&lt;script src=//elsewhere&gt;" in page
    assert re.findall(r"https?:|@import|url\(|\b(?:src|srcset)\s*=\s*[\"']", page) == []
    assert all(link.startswith("#") for link in re.findall(r'href="([^"]*)"', page))
    assert "default-src 'none'" in page


def test_the_days_of_one_failed_run_are_told_once(tmp_path: Path):
    built = hostile_lake(str(tmp_path))
    assert built.days == (ONE, THREE)
    assert built.to_mend == (f"silver/orders {THREE} and 1 more day: the run failed. no file {HOSTILE}",)
    assert (
        built.summary
        == f"{ONE} to {THREE}, 0 rows landed, 0 rows in quarantine, 0 refused, 2 failed, 0.00 quality score"
    )
    assert f'id="silver/orders:{TWO}"' in built.html and f'href="#silver/orders:{TWO}"' in built.html


def test_an_empty_lake_says_so(tmp_path: Path):
    built = build_report(str(tmp_path), TABLES)
    assert "The lake is empty" in built.html and "<script" not in built.html
    assert built.summary == "nothing ran yet"
    asked = build_report(str(tmp_path), TABLES, ONE, TWO).html
    assert f"No run of a day from {ONE} to {TWO} is in the run ledger" in asked


def test_the_command_refuses_a_range_that_ends_before_it_begins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["report", "--from", TWO, "--to", ONE])
    with pytest.raises(SystemExit, match="2"):
        report.main()
    assert f"error: FROM={TWO} is after TO={ONE}" in capsys.readouterr().err


def test_the_asset_writes_the_page_beside_the_history_and_previews_it(tmp_path: Path):
    root = str(tmp_path / "lake")
    hostile_lake(root)
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        resources = {"lakehouse": LakehouseResource(root=root), "retries": RetrySettings()}
        done = dg.materialize([build_report_asset(TABLES)], instance=instance, resources=resources)
        (event,) = done.asset_materializations_for_node("report")
        path = Path(str(event.metadata["path"].value))
        assert path == Path(instance.storage_directory()) / "report" / "report.html"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert f"silver/orders {THREE} and 1 more day: the run failed" in str(event.metadata["preview"].value)
