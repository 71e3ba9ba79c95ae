"""JUnit XML of checks: literal evaluations in, what a CI system parses out."""

from pathlib import Path
from xml.etree import ElementTree as ET

import dagster as dg
import pytest

from medallion_assets.commands import checks, junit_report

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


def said(
    name: str,
    passed: bool,
    severity: dg.AssetCheckSeverity = ERROR,
    day: str | None = "2026-01-01",
    **figures,
):
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(["silver", "orders"]),
        check_name=name,
        passed=passed,
        severity=severity,
        partition=day,
        metadata={key: dg.MetadataValue.json(value) for key, value in figures.items()},
    )


def test_only_a_failed_error_is_a_failure(tmp_path: Path):
    found = [
        said("unique_key", True),
        said("quarantine_ratio", False, broken={'a "quote" <&>\x1b': 2}, none={}),
        said("not_null_email", False, WARN, rows=["é"]),
        said("of_no_day", True, day=None),
    ]
    junit_report.write(tmp_path / "build" / "checks.xml", found)
    suite = ET.parse(tmp_path / "build" / "checks.xml").getroot()
    assert (suite.tag, suite.get("tests"), suite.get("failures"), suite.get("errors")) == (
        "testsuite", "4", "1", "0",
    )  # fmt: skip
    assert {case.get("classname") for case in suite} == {"silver.orders"}
    assert [(case.get("name"), [part.tag for part in case]) for case in suite] == [
        ("unique_key [2026-01-01]", []),
        ("quarantine_ratio [2026-01-01]", ["failure"]),
        ("not_null_email [2026-01-01]", ["system-out"]),
        ("of_no_day", []),
    ]
    assert suite.findtext("testcase/failure") == r'{"broken": {"a \"quote\" <&>\u001b": 2}}'
    assert suite.findtext("testcase/system-out") == r'WARN: {"rows": ["\u00e9"]}'


def test_a_run_that_failed_is_an_error_beside_the_checks_it_made(tmp_path: Path):
    colourful = "silver__orders_checks: \x1b[31mdisk full\x1b[0m\nat line 3\x00"
    junit_report.write(tmp_path / "checks.xml", [said("unique_key", True)], [colourful, "gold__sales: also"])
    suite = ET.parse(tmp_path / "checks.xml").getroot()
    assert [suite.get(name) for name in ("tests", "failures", "errors")] == ["2", "0", "1"]
    (error,) = suite.iter("error")
    assert error.get("message") == "silver__orders_checks: [31mdisk full[0m"
    assert (error.text or "").splitlines()[1:] == ["at line 3", "gold__sales: also"]


def test_the_file_is_written_where_not_even_a_run_came_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("no_such_setting: 1\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    with pytest.raises(dg.DagsterInvalidConfigError):
        checks.run_checks("2026-01-01", "2026-01-01", tmp_path / "checks.xml")
    (error,) = ET.parse(tmp_path / "checks.xml").getroot().iter("error")
    assert error.get("message") == "the checks could not be run: see the console for the reason"
