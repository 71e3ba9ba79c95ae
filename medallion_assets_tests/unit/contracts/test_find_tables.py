"""Table files of a fork: one file is one table, in the folder of its layer, and all faults are told at once."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from medallion_assets.contracts.declaration import DeclarationError
from medallion_assets.tables import find_tables

NUMBERS = itertools.count()
BRONZE = """
from medallion_assets.contracts import BronzeTable, Column, Land
TABLE = BronzeTable(name="visits", description="x", write=Land("visits"), columns=(Column("id", description="Key"),))
"""
SILVER = """
from medallion_assets.contracts import Column, SilverTable, Upsert
from PACKAGE.bronze import visits
WRITE = Upsert(("id",))
TABLE = SilverTable(name="visits", description="x", inputs=(visits.TABLE,), write=WRITE, columns=(Column("id"),))
"""

Files = dict[str, str]


@pytest.fixture
def fork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Files], str]:
    """Writes the files of a package `<name>.tables` with its layers; returns its name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def fork(files: Files) -> str:
        name = f"shop{next(NUMBERS)}"  # no name twice: a module that is imported stays
        folders = ["", "tables", "tables/bronze", "tables/silver", "tables/gold"]
        empty = {f"{folder}/__init__.py".lstrip("/"): "" for folder in folders}
        for file, text in (empty | {f"tables/{file}": text for file, text in files.items()}).items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("PACKAGE", f"{name}.tables"))
        return f"{name}.tables"

    return fork


def told(package: str) -> list[str]:
    with pytest.raises(DeclarationError) as error:
        find_tables(package)
    return list(error.value.faults)


def test_a_file_is_a_table(fork: Callable[[Files], str]):
    tables = find_tables(
        fork({"bronze/visits.py": BRONZE, "silver/visits.py": SILVER, "silver/_shared.py": "X = 1"})
    )
    silver = tables["silver/visits"]
    assert silver.lineage_of(silver.columns[0]) == ("bronze.visits.id",)
    assert silver.description_of(silver.columns[0]) == "Key"
    assert silver.file.endswith("tables/silver/visits.py")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"bronze/visit.py": BRONZE},
            r"tables/bronze/visit.py: name: the table is 'visits' and its file visit.py",
        ),
        (
            {"gold/visits.py": BRONZE},
            r"tables/gold/visits.py: layer: a BronzeTable in gold; move it to bronze",
        ),
        (
            {"platinum/visits.py": BRONZE},
            r"tables/platinum/visits.py: layer: it is in none of the folders bronze, s",
        ),
        ({"visits.py": BRONZE}, r"tables/visits.py: layer: it is in none of the folders"),
        ({"silver/eu/visits.py": BRONZE}, r"tables/silver/eu/visits.py: layer: it is in none of the folders"),
        (
            {"silver/visits.py": "X = 1"},
            r"tables/silver/visits.py: TABLE: it declares none; write TABLE = SilverTable",
        ),
        (
            {"bronze/orders.py": BRONZE.replace("visits", "orders")},
            r"orders.py: name: tables/bronze/orders.py declares",
        ),
        (
            {"bronze/visits.py": BRONZE, "silver/visits.py": SILVER.replace('"id",', '"nr",')},
            r"write.keys: 'nr' is no",
        ),
    ],
)
def test_a_file_that_is_no_table_where_it_is_told(fork: Callable[[Files], str], files: Files, message: str):
    assert any(re.search(message, line) for line in told(fork(files)))


def test_all_files_are_told_at_once(fork: Callable[[Files], str]):
    files = {"bronze/visit.py": BRONZE, "platinum/visits.py": BRONZE, "gold/visits.py": "X = 1"}
    assert len(told(fork(files))) == 3
