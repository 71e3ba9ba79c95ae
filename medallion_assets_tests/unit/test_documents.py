"""The documents agree with the code: their generated parts, the settings that they list, the files that they name."""

import re
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from medallion_assets.commands.document import refreshed, stale_parts, unshown_tables
from medallion_assets.contracts.table import Column
from medallion_assets.definitions import defs
from medallion_assets.tables import find_tables

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
TABLES = find_tables()
FACTS = TABLES["gold/fact_orders"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_generated_parts_are_what_their_tables_say(page: Path):
    text = page.read_text(encoding="utf-8")
    assert stale_parts(text, TABLES) == [], f"{page.name} is stale: run `make docs`"
    if unshown := unshown_tables(text, TABLES):
        warnings.warn(
            f"{page.name} does not show {', '.join(sorted(unshown))} yet: run `make docs`", stacklevel=1
        )


def test_a_new_table_makes_no_part_stale_and_is_shown_once_refreshed():
    page = refreshed("<!-- generated: tables -->\n<!-- end -->", TABLES)
    more = {**TABLES, "gold/refunds": replace(FACTS, name="refunds")}
    assert stale_parts(page, more) == [] and unshown_tables(page, more) == {"gold/refunds"}
    page = refreshed(page, more)
    assert "| `gold/refunds` |" in page and unshown_tables(page, more) == set()


def test_a_changed_or_removed_table_makes_its_parts_stale():
    page = refreshed("<!-- generated: star_schema -->\n<!-- end -->", TABLES)
    changed = replace(FACTS, columns=(*FACTS.columns, Column("store_id")))
    assert stale_parts(page, {**TABLES, FACTS.key: changed}) == ["star_schema"]
    assert stale_parts(page, {key: t for key, t in TABLES.items() if key != FACTS.key}) == ["star_schema"]


def test_a_part_that_was_never_made_is_stale():
    assert stale_parts("<!-- generated: rules -->\n<!-- end -->", TABLES) == ["rules"]


def test_the_picture_shows_columns_keys_and_relations():
    sales = TABLES["gold/daily_sales"]
    small = {
        "gold/dim_date": replace(TABLES["gold/dim_date"], columns=TABLES["gold/dim_date"].columns[:2]),
        FACTS.key: replace(FACTS, columns=FACTS.columns[:3]),
        sales.key: replace(sales, columns=(sales.columns[0], sales.columns[4])),
    }
    page = refreshed("<!-- generated: star_schema -->\n<!-- end -->", small)
    assert page == PICTURE


PICTURE = """\
<!-- generated: star_schema of gold/dim_date gold/fact_orders gold/daily_sales -->

```mermaid
erDiagram
    dim_date ||--o{ fact_orders : date_key
    daily_sales |o--o{ fact_orders : "order_date"
    dim_date {
        int date_key PK
        date date
    }
    fact_orders {
        string order_id PK
        date order_date
        int date_key FK
    }
    daily_sales {
        date order_date PK
        decimal total_sales
    }
```

<!-- end -->"""


def test_every_setting_is_in_the_one_table_and_every_setting_of_the_table_is_in_the_code():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (.+?) \|", page, re.M)
    code = "\n".join(path.read_text() for path in (ROOT / "medallion_assets").rglob("*.py"))
    listed = {
        name for cell, where in rows if where.startswith("environment") for name in re.findall(r"\w+", cell)
    }
    read = set(re.findall(r"\bMEDALLION_[A-Z_]+\b", code))
    assert {name for name in listed if name.startswith("MEDALLION")} == read
    fields = {
        (field, f"resource `{name}`")
        for name, resource in defs.resources.items()
        for field in type(resource).model_fields
    }
    assert {(cell.strip("`"), where) for cell, where in rows if where.startswith("resource")} == fields


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("*.md")], ids=lambda page: page.stem)
def test_files_that_the_documents_name_are_there(page: Path):
    named = re.findall(
        r"`(medallion_assets(?:_tests)?/[\w/.]*|docs/[\w/.]+)`", page.read_text(encoding="utf-8")
    )
    missing = [path for path in named if not (ROOT / path).exists() and "daily_status" not in path]
    assert missing == [], page.name
