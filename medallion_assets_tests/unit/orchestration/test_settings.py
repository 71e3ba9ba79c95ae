"""A variable that cannot be meant is named, with its value and what is expected; all of them at once."""

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from medallion_assets.orchestration.settings import as_path, faults

SUPPORT = Path(__file__).parents[2] / "support"
TOMORROW = f"{datetime.now(timezone.utc) + timedelta(days=1):%Y-%m-%d}"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("MEDALLION_FIRST_DAY", ["2017-01-01"], ["", "soon", "2017-1-1", "20170101", "2017-02-30", TOMORROW]),
        (
            "MEDALLION_LANDING",
            ["", "data", "/data", "file:///data", "~/data", "s3a://b/l", "gs://b/l"],
            ["http://b/l", "s3://", " /data", __file__],
        ),
        (
            "MEDALLION_LAKEHOUSE",
            ["s3a://bucket/lake", "s3://bucket/lake", "abfss://c@a.dfs.core.windows.net/lake", "lake"],
            ["s3:/bucket", "S3://bucket/lake", "hdfs://host/lake", "file://host/lake", "s3a://", "a\nb"],
        ),
        ("MEDALLION_JARS", ["/jars"], ["https://repo/jars"]),
        (
            "MEDALLION_SPARK",
            [
                "",
                "local",
                "local[*]",
                "local[2]",
                "spark://127.0.0.1:7077",
                "spark://a.b:7077,c-d:7077",
                "spark://[::1]:7077",
                "k8s://https://host:443",
                "yarn",
                "sc://host",
                "sc://host:443/;token=x",
            ],
            [
                "Local[*]",
                "local[0]",
                "local[two]",
                "spark://host",
                "host:7077",
                "http://host",
                "k8s://",
                "yarn ",
            ],
        ),
        (
            "MEDALLION_SPARK_CONF",
            ["", f"{SUPPORT}/spark-defaults.conf"],
            ["no-such-file.conf", str(SUPPORT), __file__],
        ),
        ("MEDALLION_SHARED_FOLDERS", ["on", "off", ""], ["yes"]),
        ("MEDALLION_SENSORS", ["on", "off", ""], ["yes", "ON"]),
        ("MEDALLION_MIN_FREE_MB", ["0", " 200 ", ""], ["200MB", "-1", "1.5"]),
        ("MEDALLION_SLACK_CHANNEL", ["#data"], ["# data"]),
        ("MEDALLION_UI", ["http://127.0.0.1:3000"], ["127.0.0.1:3000", "http://"]),
        ("MEDALLION_ALERT_WEBHOOK", ["https://hook/x"], ["hook"]),
        ("MEDALLION_WEB_SHOP", ["postgresql://u:p@h/n"], ["mysql://u:p@h/n"]),
        ("DAGSTER_HOME", ["/home/x", "~/x"], ["home/x"]),
    ],
)
def test_each_variable_takes_what_is_meant_and_nothing_else(name: str, good: list[str], bad: list[str]):
    assert [faults({name: value}) for value in good] == [[]] * len(good)
    for value in bad:
        (line,) = faults({name: value})
        assert line.startswith(f"{name}=") and ": expected is " in line
        assert repr(value) in line or "(not shown)" in line


def test_a_command_ends_with_one_line_for_each_fault(tmp_path: Path):
    wrong = {"MEDALLION_FIRST_DAY": "", "MEDALLION_SENSORS": "yes", "MEDALLION_WEB_SHOP": "u:secret@host"}
    command = [sys.executable, "-m", "medallion_assets.commands.checks", "--day", "2017-01-05"]
    done = subprocess.run(command, env=os.environ | wrong, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and [line.split("=")[0] for line in done.stderr.splitlines()] == [
        "MEDALLION_FIRST_DAY",
        "MEDALLION_SENSORS",
        "MEDALLION_WEB_SHOP",
    ]
    assert "secret" not in done.stderr


def test_a_token_in_a_wrong_url_is_not_shown():
    (line,) = faults({"MEDALLION_SPARK": "sc//host/;token=secret"})
    assert "secret" not in line and "sc://host:15002" in line


def test_relative_folders_and_file_urls_are_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert as_path("data/lake") == f"{tmp_path}/data/lake"
    assert as_path("file:///data/my%20lake") == "/data/my lake"
    assert as_path("s3a://bucket/lake") == "s3a://bucket/lake"
