"""What a rule that failed shows, as far as it needs no table."""

from datetime import date
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from medallion_assets.contracts import BronzeTable, Column, Land, SilverTable, Upsert
from medallion_assets.orchestration.assets.previews import broken_rows, rows_breaking
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.tables.silver import orders

DAY = "2026-01-05"


def shown(root: Path, check: str) -> dict[str, str]:
    return broken_rows(LakehouseResource(root=str(root)), orders.TABLE, check, DAY, has_rows=False)


def test_a_rule_shows_a_query_that_can_be_run(tmp_path: Path):
    of_day = f"_ingestion_date = DATE '{DAY}'"
    assert shown(tmp_path, "order_status_one_of") == {
        "query": f"SELECT * FROM delta.`{tmp_path}/quarantine/orders` WHERE {of_day} "
        "AND array_contains(_failed_rules, 'order_status_one_of')"
    }
    assert shown(tmp_path, "customer_id_not_null") == {
        "query": f"SELECT * FROM delta.`{tmp_path}/silver/orders` WHERE {of_day} "
        "AND NOT coalesce(customer_id IS NOT NULL, false)"
    }
    assert shown(tmp_path, "keys_as_landed") == {}  # silver does not hold what landed
    assert shown(tmp_path, "quarantine_ratio") == {}


def test_personal_data_is_masked_from_where_it_is_said_to_be(tmp_path: Path):
    contacts = BronzeTable(
        name="contacts",
        description="",
        columns=(Column("id"), Column("email", pii=True)),
        write=Land("contacts"),
    )
    people = SilverTable(
        name="people",
        description="",
        inputs=(contacts,),
        write=Upsert(keys=("id",)),
        columns=(Column("id"), Column("mail", source="email", lineage=("bronze.contacts.email",))),
    )
    row = {"id": "1", "mail": "a@example.com", "_failed_rules": ["id_not_null"], "_corrupt_record": "a@b.c"}
    rows = [row, row | {"id": "2", "mail": None, "_corrupt_record": None}]
    days = pa.array([date.fromisoformat(DAY)] * 2, pa.date32())
    stored = pa.Table.from_pylist(rows).append_column("_ingestion_date", days)
    write_deltalake(str(tmp_path / "quarantine" / "people"), stored)
    failed = ["id_not_null"]
    assert rows_breaking(LakehouseResource(root=str(tmp_path)), people, "id_not_null", DAY) == [
        {"id": "1", "mail": "***", "_failed_rules": failed, "_corrupt_record": "***"},
        {"id": "2", "_failed_rules": failed},
    ]
