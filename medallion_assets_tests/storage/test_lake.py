"""What the lake writes: rows in, rows and commits out."""

from medallion_assets.lakehouse.storage.predicates import days_predicate
from medallion_assets_tests.support.sample_lake import SampleLake

ONE, TWO = "2026-01-01", "2026-01-02"
KEY = "gold/sales"


def test_days_are_replaced_where_they_are_held_and_appended_where_they_are_new(shop: SampleLake):
    def replace(*rows: tuple[str, int], key: str = KEY, by: str | None = "day") -> str:
        days = {day for day, _ in rows}
        frame = shop.spark.createDataFrame(rows, "day string, n int").selectExpr(
            "CAST(day AS DATE) AS day", "n"
        )
        shop.lake.replace(frame, key, days_predicate("day", days), by, days)
        return shop.table(key).history(limit=1)[0]["operationParameters"]["mode"]

    def stored(key: str = KEY) -> list[tuple[str, int]]:
        return shop.rows(key, "day", "n")

    assert (replace((ONE, 1)), stored()) == ("Append", [(ONE, 1)])
    assert (replace((TWO, 2)), stored()) == ("Append", [(ONE, 1), (TWO, 2)])
    assert (replace((TWO, 3), (TWO, 4)), stored()) == ("Overwrite", [(ONE, 1), (TWO, 3), (TWO, 4)])
    assert (replace((ONE, 5), ("2026-01-03", 6)), len(stored())) == ("Overwrite", 4)

    whole = "gold/unpartitioned"
    replace((ONE, 1), key=whole, by=None)
    replace((TWO, 2), key=whole, by=None)
    assert replace((TWO, 3), key=whole, by=None) == "Overwrite"
    assert stored(whole) == [(ONE, 1), (TWO, 3)]
