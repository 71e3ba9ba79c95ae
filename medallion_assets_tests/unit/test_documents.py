"""The documents agree with the code: their generated parts, the settings that they list, the files that they name."""

import re
import warnings
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest

from medallion_assets import contracts
from medallion_assets.commands.document import refreshed, stale_parts, unshown_tables
from medallion_assets.contracts import Column
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
    assert "| [`gold/refunds`](reference/gold.md#refunds) |" in page and unshown_tables(page, more) == set()


def test_the_reference_shows_a_new_table_beside_what_it_reads_once_refreshed():
    parts = (
        "<!-- generated: silver_reference -->\n<!-- end -->\n<!-- generated: gold_reference -->\n<!-- end -->"
    )
    page = refreshed(parts, TABLES)
    for line in (
        "| `order_amount` | `decimal(18,2)` | not null | US dollars, rounded half up | `bronze.orders.order_amount` |",
        "| `order_amount_not_null` | `order_amount IS NOT NULL` | quarantine |",
        "| `customer_id_not_null` | `customer_id IS NOT NULL` | lower score |",
        "- Read by: [`gold/fact_orders`](gold.md#fact_orders)",
        "| `total_sales` | `decimal(28,2)` |  | US dollars | `sum(order_amount)` |",
        "- Due: 6 hours after the day's end (UTC)",
    ):
        assert line in page.splitlines(), line
    more = {**TABLES, "gold/refunds": replace(FACTS, name="refunds")}
    assert stale_parts(page, more) == []
    page = refreshed(page, more)
    assert "## refunds {#refunds}" in page
    assert "- Read by: [`gold/fact_orders`](gold.md#fact_orders), [`gold/refunds`](gold.md#refunds)" in page


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


def test_every_environment_variable_is_in_the_table_of_settings():
    code = "\n".join(path.read_text() for path in (ROOT / "medallion_assets").rglob("*.py"))
    listed = {name for name, where in settings() if where.startswith("environment")}
    assert {name for name in listed if name.startswith("MEDALLION_")} == set(
        re.findall(r"\bMEDALLION_[A-Z_]+\b", code)
    )


def test_every_field_of_a_resource_is_in_the_table_of_settings():
    listed = {(name, where) for name, where in settings() if where.startswith("resource")}
    known = defs.resources or {}
    assert listed == {
        (f, f"resource {name}") for name, kind in known.items() for f in type(kind).model_fields
    }


def test_every_field_of_a_contract_is_in_the_table_of_settings():
    kinds = {name: getattr(contracts, name) for name in contracts.__all__}
    classes = {
        name: kind for name, kind in kinds.items() if is_dataclass(kind) and name not in ("Table", "Measure")
    }
    listed = {(name, where) for name, where in settings() if where in kinds}
    given = {"transform", "file"}  # by the file that the table is in
    assert listed == {
        (f.name, name) for name, kind in classes.items() for f in fields(kind) if f.name not in given
    }


def settings() -> set[tuple[str, str]]:
    """(name, where it is set) of each row of the table; a row may have several of both."""
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (.+?) \|", page.replace("`", ""), re.M)
    return {
        (name, where) for names, places in rows for name in names.split(", ") for where in places.split(", ")
    }


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("*.md")], ids=lambda page: page.stem)
def test_files_that_the_documents_name_are_there(page: Path):
    named = re.findall(
        r"`(medallion_assets(?:_tests)?/[\w/.]*|docs/[\w/.]+)`", page.read_text(encoding="utf-8")
    )
    missing = [path for path in named if not (ROOT / path).exists() and "daily_status" not in path]
    assert missing == [], page.name
