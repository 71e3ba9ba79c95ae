"""`make cdc-demo` as a process: what it prints, and that nothing of it is left, however it ends."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from medallion_assets.commands.cdc_demo_data import TRANSACTIONS

COMMAND = [sys.executable, "-m", "medallion_assets.commands.cdc_demo"]
ENDED = "All processes of the demo have ended.\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Of all temporary files of the demo. Not in pytest's, which is closed to the user that PostgreSQL runs as."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name)


def environment(folder: Path) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("MEDALLION_L")}
    return others | {"TMPDIR": str(folder), "DAGSTER_HOME": str(folder / "no home")}


def processes_in(folder: Path) -> dict[int, str]:
    """Process id -> command of those that work in the folder."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "cwd").startswith(str(folder)):
                found[int(process.name)] = (process / "cmdline").read_text()
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def left_of(folder: Path) -> list[str]:
    """Processes and files, but for the folders that Spark keeps by process, which the next process removes."""
    files = [file.name for file in folder.iterdir() if not file.name.startswith("medallion_assets-")]
    return [*processes_in(folder).values(), *files]


@contextmanager
def begun(folder: Path, moment: str) -> Iterator[subprocess.Popen[str]]:
    """The demo, once it has printed this; both of its outputs are its standard output."""
    before = signal.signal(
        signal.SIGHUP, signal.SIG_DFL
    )  # which a child of `nohup` ignores, with its own children
    process = subprocess.Popen(
        COMMAND, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    signal.signal(signal.SIGHUP, before)
    try:
        assert process.stdout
        printed = ""
        while moment not in printed:
            letter = process.stdout.read(1)
            assert letter, printed
            printed += letter
        yield process
    finally:
        process.kill()
        process.wait()


def first_bytes(folder: Path, table: str) -> set[bytes]:
    """Of the keys and values in bronze."""
    found = DeltaTable(str(folder / "lake" / "bronze" / table)).to_pyarrow_table(columns=["key", "value"])
    return {data[:1] for column in found.columns for data in column.to_pylist() if data is not None}


@pytest.mark.long
def test_what_a_database_commits_reaches_silver_and_gold_in_json_and_in_avro(folder: Path):
    (folder / "home").mkdir()
    (folder / "home" / "dagster.yaml").touch()
    kept = {"MEDALLION_LAKEHOUSE": str(folder / "lake"), "DAGSTER_HOME": str(folder / "home")}
    done = subprocess.run(COMMAND, env=environment(folder) | kept, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for title in ("500 rows from before", *TRANSACTIONS):
        lines = re.findall(rf"  {title} +silver +\d+\.\d s  gold +\d+\.\d s\n", done.stdout)
        assert len(lines) == 2, title
    for table, first in (("debezium_orders", b"{"), ("debezium_orders_avro", b"\0")):
        assert f"silver/{table} has the 762 rows of the table" in done.stdout
        assert first_bytes(folder, table) == {first}
    checks = re.search(r"the results of (\d+) checks: (\d+) passed", done.stdout)
    assert checks and checks[1] == checks[2] != "0"
    assert done.stdout.endswith(ENDED)
    assert sorted(left_of(folder)) == ["home", "lake"]


@pytest.mark.long
@pytest.mark.parametrize(
    "moment, number, code",
    [
        ("Apicurio", signal.SIGTERM, 143),
        ("make stream", signal.SIGINT, 130),  # just as a child is made
        ("make stream", signal.SIGTERM, 143),
        ("rows from before", signal.SIGHUP, 129),
    ],
)
def test_nothing_is_left_of_one_that_is_stopped(folder: Path, moment: str, number: int, code: int):
    with begun(folder, moment) as process:
        assert processes_in(folder)
        process.send_signal(number)
        text, _ = process.communicate(timeout=120)
        assert process.returncode == code
    assert text.endswith(ENDED) and "Traceback" not in text
    assert left_of(folder) == []


@pytest.mark.long
def test_a_server_that_dies_ends_it_and_is_named_with_its_log(folder: Path):
    with begun(folder, "rows from before") as process:
        (broker,) = [number for number, command in processes_in(folder).items() if "kafka.Kafka" in command]
        os.kill(broker, signal.SIGKILL)
        text, _ = process.communicate(timeout=120)
        assert process.returncode == 1
    assert "Kafka ended by itself (exit code -9). Its log ends:\n" in text and "Traceback" not in text
    assert text.endswith(ENDED)
    assert left_of(folder) == []


def test_a_lake_with_the_tables_of_an_earlier_demo_is_refused(folder: Path):
    write_deltalake(str(folder / "lake" / "bronze" / "debezium_orders_avro"), pa.table({"offset": [1]}))
    settings = environment(folder) | {"MEDALLION_LAKEHOUSE": str(folder / "lake")}
    done = subprocess.run(COMMAND, env=settings, capture_output=True, text=True)
    assert done.returncode == 1 and "bronze/debezium_orders_avro of an earlier demo" in done.stderr
    assert "Traceback" not in done.stderr and left_of(folder) == ["lake"]
