"""What checks said, as JUnit XML: CI systems show it test by test, a check of a day being a test."""

import json
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import dagster as dg


def write(path: Path, found: Sequence[dg.AssetCheckEvaluation], errors: Sequence[str] = ()) -> None:
    """errors: why the run failed as a whole, if it did."""
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
    """What the check counted, without what is empty."""
    return json.dumps(
        {name: value.value for name, value in check.metadata.items() if value.value not in ({}, [])}
    )


def _case(check: dg.AssetCheckEvaluation) -> ET.Element:
    name = f"{check.check_name} [{check.partition}]" if check.partition else check.check_name
    case = ET.Element("testcase", {"classname": ".".join(check.asset_key.path), "name": name})
    if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR:
        told = ET.SubElement(case, "failure", {"message": f"{name} not passed", "type": "ERROR"})
        told.text = figures(check)
    elif not check.passed:
        # A warning fails nothing, here as on the command line, and JUnit has no word for it.
        ET.SubElement(case, "system-out").text = f"WARN: {figures(check)}"
    return case


def _run(errors: Sequence[str]) -> ET.Element:
    text = _allowed("\n".join(errors))
    case = ET.Element("testcase", {"classname": "run", "name": "all_checks"})
    ET.SubElement(case, "error", {"message": text.splitlines()[0] if text else "failed"}).text = text
    return case


def _allowed(text: str) -> str:
    """Without colour codes and the like: XML has no way to hold control characters, and ElementTree lets them pass."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")
