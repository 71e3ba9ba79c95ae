"""Two days of the sample sources, the second with changes, a delete and a bad row; and the rows of a table."""

from collections.abc import Collection

from deltalake import DeltaTable

from medallion_assets_tests.support.sample_lake import SampleLake, delete, order

ONE, TWO = "2017-01-01", "2017-01-02"


def land(shop: SampleLake) -> None:
    segments = [
        {"customer_id": f"c{n}", "customer_segment": "GOLD", "updated_at": f"{ONE}T00:00:00Z"}
        for n in range(5)
    ]
    moved = [segments[1] | {"customer_segment": "IRON", "updated_at": f"{TWO}T00:00:00Z"}]
    product = {"product_id": "p1", "product_category": "FOOD", "updated_at": ONE}
    first = [order(f"o{n}", customer_id=f"c{n % 7}", day=ONE, at=f"{ONE}T10:00:00Z") for n in range(30)]
    changed = [one | {"order_amount": "7.25", "updated_at": f"{TWO}T10:00:00Z"} for one in first[:9]]
    shop.land("customers", ONE, "c.csv", segments)
    shop.land("customers", TWO, "c.csv", moved)
    shop.land("products", ONE, "p.csv", [product])
    shop.land("orders", ONE, "o.csv", first)
    news = [order("new", day=TWO, at=f"{TWO}T11:00:00Z"), order("bad", day=TWO, amount="much")]
    shop.land("orders", TWO, "o.csv", [*changed, delete("o9", f"{TWO}T12:00:00Z"), *news])


def rows(table: str, without: Collection[str] = ()) -> list[str]:
    """Without what tells when they were written."""
    found = DeltaTable(table).to_pyarrow_table().to_pylist()
    return sorted(
        str({n: value for n, value in row.items() if n not in without and not n.endswith("_timestamp")})
        for row in found
    )
