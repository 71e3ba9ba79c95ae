"""Check results as JUnit XML, which CI systems show; a check of one day is one test."""

import json
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import dagster as dg


def write(path: Path, found: Sequence[dg.AssetCheckEvaluation], errors: Sequence[str] = ()) -> None:
    """errors: why the run itself failed, if it did."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite(found, errors)).write(path, encoding="utf-8", xml_declaration=True)


def suite(found: Sequence[dg.AssetCheckEvaluation], errors: Sequence[str] = ()) -> ET.Element:
    cases = [_case(check) for check in found] + ([_run(errors)] if errors else [])
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": int(bool(errors)),
    }
    root = ET.Element("testsuite", {"name": "checks", **{name: str(count) for name, count in counts.items()}})
    root.extend(cases)
    return root


def figures(check: dg.AssetCheckEvaluation) -> str:
    """The metadata of the check as JSON, without empty values."""
    return json.dumps(
        {name: value.value for name, value in check.metadata.items() if value.value not in ({}, [])}
    )


def _case(check: dg.AssetCheckEvaluation) -> ET.Element:
    name = f"{check.check_name} [{check.partition}]" if check.partition else check.check_name
    case = ET.Element("testcase", {"classname": ".".join(check.asset_key.path), "name": name})
    if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR:
        failure = ET.SubElement(case, "failure", {"message": f"{name} failed", "type": "ERROR"})
        failure.text = figures(check)
    elif not check.passed:
        # A warning is no failure, here as on the command line, and JUnit has no word for it.
        ET.SubElement(case, "system-out").text = f"WARN: {figures(check)}"
    return case


def _run(errors: Sequence[str]) -> ET.Element:
    text = _without_control_characters("\n".join(errors))
    case = ET.Element("testcase", {"classname": "run", "name": "all_checks"})
    ET.SubElement(case, "error", {"message": text.splitlines()[0] if text else "failed"}).text = text
    return case


def _without_control_characters(text: str) -> str:
    """XML cannot hold control characters, such as colour codes, and ElementTree does not remove them."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")
