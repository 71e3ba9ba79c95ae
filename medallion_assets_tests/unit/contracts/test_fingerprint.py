"""The fingerprint changes with what can change a row, and with nothing else."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count as count_from
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from medallion_assets.contracts import (
    BronzeTable,
    Column,
    Debezium,
    Extract,
    FollowTopic,
    GoldTable,
    Land,
    ReplaceDay,
    Scd2,
    SilverTable,
    Upsert,
    count,
    not_null,
    total,
)

NUMBERS = count_from()
BRONZE = BronzeTable(name="orders", description="As landed", write=Land("orders"), columns=(Column("id"),))
SILVER = SilverTable(
    name="orders",
    description="Orders",
    inputs=(BRONZE,),
    write=Upsert(keys=("id",), sequence_by=("at",)),
    columns=(Column("id"), Column("day", "date"), Column("at", "timestamp")),
    rules=(not_null("day"),),
)
GOLD = GoldTable(
    name="sales",
    description="Sales",
    inputs=(SILVER,),
    write=ReplaceDay("day"),
    columns=(Column("day", "date"), Column("n", "bigint", measure=count("id"))),
)

CODE = '''
import dataclasses
import enum
import re
from functools import partial
from PACKAGE import helpers
from PACKAGE.helpers import clean

LIMIT = 3
NAMES = {"c", "a", "b"}
RATES = {"eu": (1, 2), "us": (3, 4)}
PATTERN = re.compile("a+")
OTHER = 1

class Kind(enum.Enum):
    GOOD = "good"

@dataclasses.dataclass
class Shop:
    name: str = "x"

SHOP = Shop("main")

def around(floor):
    return lambda value: value > floor

above = around(5)

def again(function):
    return lambda *args: function(*args)

@again
def twice(value):
    return value * 2

def even(n):
    return n == 0 or odd(n - 1)

def odd(n):
    return n != 0 and even(n - 1)

def transform(rows: list, limit=LIMIT) -> list:
    """Says what it does."""
    kept = [clean(row) for row in rows if row in NAMES]  # a comment
    def inner(x):
        return helpers.scaled(x) + RATES["eu"][0]
    return [inner(twice(x)) for x in kept if above(x) and PATTERN.match(SHOP.name) and even(x) and Kind.GOOD]
'''
HELPERS = '''
FACTOR = 10
UNUSED = 1

def clean(row):
    """Cleans."""
    return deeper(row)

def deeper(row):
    return row.strip("x")

def scaled(value):
    return value * FACTOR
'''


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """Writes two modules as a package of its own, with some texts replaced, and imports them."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def load(*changes: tuple[str, str]) -> ModuleType:
        name = f"fork{next(NUMBERS)}"  # no name twice: a module that is imported stays
        folder = tmp_path / name
        folder.mkdir()
        texts = {"code": CODE.replace("PACKAGE", name), "helpers": HELPERS, "__init__": ""}
        for old, new in changes:
            assert any(old in text for text in texts.values()), old
            texts = {file: text.replace(old, new) for file, text in texts.items()}
        for file, text in texts.items():
            (folder / f"{file}.py").write_text(text)
        importlib.invalidate_caches()
        return importlib.import_module(f"{name}.code")

    return load


def fingerprint(module: ModuleType) -> str:
    return replace(SILVER, transform=module.transform).fingerprint


CHANGES = [
    ("LIMIT = 3", "LIMIT = 4"),
    ('{"c", "a", "b"}', '{"c", "a", "d"}'),
    ('"eu": (1, 2)', '"eu": (1, 3)'),
    ('re.compile("a+")', 're.compile("a*")'),
    ('GOOD = "good"', 'GOOD = "fine"'),
    ('Shop("main")', 'Shop("side")'),
    ("around(5)", "around(6)"),
    ("value > floor", "value >= floor"),
    ("return value * 2", "return value * 3"),
    ("function(*args)", "function(*args, 1)"),
    ("n != 0 and", "n > 0 and"),
    ("in NAMES]", "not in NAMES]"),
    ('row.strip("x")', 'row.strip("y")'),
    ("FACTOR = 10", "FACTOR = 11"),
    ("value * FACTOR", "value + FACTOR"),
]
NO_CHANGES = [
    ("  # a comment", ""),
    ('    """Says what it does."""\n', ""),
    ('    """Cleans."""\n', '    """Cleans a row."""\n    # well\n'),
    ("rows: list, limit=LIMIT) -> list:", "\n    rows,\n    limit=LIMIT,\n):"),
    ("for row in rows if row", "\n        for row in rows\n        if row"),
    ("OTHER = 1", "OTHER = 2\n\n\ndef unused():\n    return 1"),
    ("UNUSED = 1", "UNUSED = 2"),
    ('{"c", "a", "b"}', '{"a", "b", "c"}'),
    ('"a", "b"}', "'a', 'b'}"),
]


@pytest.mark.parametrize(("old", "new"), CHANGES, ids=[new for _, new in CHANGES])
def test_code_and_what_it_uses_change_it(load: Callable[..., ModuleType], old: str, new: str):
    assert fingerprint(load((old, new))) != fingerprint(load())


@pytest.mark.parametrize(("old", "new"), NO_CHANGES, ids=[repr(old) for old, _ in NO_CHANGES])
def test_what_changes_no_result_does_not(load: Callable[..., ModuleType], old: str, new: str):
    assert fingerprint(load((old, new))) == fingerprint(load())


def test_a_lambda_counts_as_written():
    one = replace(SILVER, transform=lambda rows: rows)
    other = replace(SILVER, transform=lambda rows: rows.limit(1))
    assert len({SILVER.fingerprint, one.fingerprint, other.fingerprint}) == 3


SAME = [
    replace(SILVER, description="Other words", owners=("team:x",), tags={"a": "b"}, due=timedelta(1)),
    replace(
        SILVER,
        quarantine_limit=0.1,
        quarantine_least=9,
        purge_after=timedelta(1),
        partition_by="day",
        expects_data=True,
    ),
    replace(
        SILVER, columns=(Column("id", "STRING", "Key"), Column("day", "DATE"), Column("at", "Timestamp"))
    ),
    replace(SILVER, columns=(replace(SILVER.columns[0], lineage=("bronze.orders.id",)), *SILVER.columns[1:])),
]
OTHER = [
    replace(SILVER, rules=()),
    replace(SILVER, rules=(replace(SILVER.rules[0], weight=2),)),
    replace(SILVER, columns=(*SILVER.columns, Column("x"))),
    replace(SILVER, columns=(Column("id", "int"), *SILVER.columns[1:])),
    replace(SILVER, write=Upsert(("id",))),
    replace(SILVER, write=Upsert(("id",), ("at",), op="change")),
    replace(SILVER, write=Scd2(("id",), ("at",), tracked=("day",))),
    replace(SILVER, write=ReplaceDay()),
    replace(SILVER, inputs=(replace(BRONZE, name="others"),)),
]


@pytest.mark.parametrize("number", range(len(SAME)))
def test_words_and_limits_do_not_change_it(number: int):
    assert SAME[number].fingerprint == SILVER.fingerprint


def test_each_thing_that_can_change_a_row_changes_it():
    assert len({table.fingerprint for table in (SILVER, *OTHER)}) == len(OTHER) + 1
    gold = [
        GOLD,
        replace(GOLD, where="id <> 'x'"),
        replace(GOLD, columns=(GOLD.columns[0], replace(GOLD.columns[1], measure=total("id")))),
        replace(GOLD, columns=(GOLD.columns[0], replace(GOLD.columns[1], measure=None))),
        replace(GOLD, inputs=(replace(SILVER, name="others"),)),
    ]
    assert len({table.fingerprint for table in gold}) == len(gold)


def test_how_messages_are_read_changes_silver_and_how_they_are_fetched_does_not():
    def silver(**fields: Any) -> str:
        write = FollowTopic(**{"topic": "orders", "servers": "a:1", **fields})
        events = BronzeTable(name="orders", description="As sent", write=write)
        return replace(SILVER, inputs=(events,)).fingerprint

    assert silver() == silver(
        servers="b:2", settings="$S", begin="2026-01-01", batch_messages=1, committed=False
    )
    assert len({SILVER.fingerprint, silver(), silver(payload=Debezium())}) == 3


def test_an_extract_follows_the_contract_that_validates_its_files():
    extract = GoldTable(name="x", description="x", write=Extract(SILVER), columns=(Column("id"),))
    other = replace(extract, write=Extract(replace(SILVER, rules=())))
    words = replace(extract, write=Extract(replace(SILVER, description="Other words")))
    assert extract.fingerprint == words.fingerprint != other.fingerprint


def test_the_names_of_classes_do_not_matter():
    class Merge(Upsert):
        pass

    class Field(Column):
        pass

    columns = tuple(Field(c.name, c.type) for c in SILVER.columns)
    assert replace(SILVER, write=Merge(("id",), ("at",)), columns=columns).fingerprint == SILVER.fingerprint


def test_it_is_the_same_in_each_process(load: Callable[..., ModuleType], tmp_path: Path):
    script = (
        "from dataclasses import replace;"
        f"from {load().__name__} import transform;"
        "from medallion_assets.tables import EXAMPLES, find_tables;"
        "tables = find_tables(EXAMPLES);"
        "print([replace(table, transform=transform).fingerprint for table in tables.values()], "
        "[table.fingerprint for table in tables.values()])"
    )
    path = f"{tmp_path}:{Path(__file__).parents[3]}"
    told = {
        subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": path},
            cwd=tmp_path,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
