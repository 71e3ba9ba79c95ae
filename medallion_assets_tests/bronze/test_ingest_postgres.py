"""A PostgreSQL table carried to silver by its watermark: what changes there is what changes here, and nothing twice."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import dagster as dg
import pytest

from medallion_assets.contracts.bronze import BronzeTable, FollowTable
from medallion_assets.contracts.column import Column
from medallion_assets.contracts.merge_policies import Upsert
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.lakehouse import bronze
from medallion_assets.lakehouse.control import watermarks
from medallion_assets.lakehouse.monitoring.source_changes import sources_with_news
from medallion_assets.lakehouse.sources.base import SourceError
from medallion_assets.orchestration.failures import RetrySettings
from medallion_assets.orchestration.jobs.table_jobs import build_table_jobs
from medallion_assets.orchestration.resources import LakehouseResource, SparkResource
from medallion_assets_tests.support.postgres_server import Database
from medallion_assets_tests.support.sample_lake import SampleLake

BRONZE = BronzeTable(
    name="visits",
    description="Visits of a shop's database.",
    write=FollowTable("SHOP", "visits", keys=("visit_id",)),
    columns=(Column("visit_id"), Column("pages"), Column("updated_at")),
)
SILVER = SilverTable(
    name="visits",
    description="The latest state of each visit.",
    inputs=(BRONZE,),
    write=Upsert(keys=("visit_id",), sequence_by=("updated_at",)),
    columns=(Column("visit_id"), Column("pages", "int"), Column("updated_at", "timestamp")),
)
TODAY = f"{datetime.now(timezone.utc):%Y-%m-%d}"


class Visits(SampleLake):
    """A workshop that follows a real database."""

    base: Database

    def put(self, visit: str, pages: str, at: str) -> None:
        self.base.execute(
            f"INSERT INTO visits VALUES ('{visit}', {pages}, {at}) "
            "ON CONFLICT (visit_id) DO UPDATE SET pages = EXCLUDED.pages, updated_at = EXCLUDED.updated_at"
        )

    def follow(self) -> None:
        self.run("bronze/visits", TODAY)
        self.run("silver/visits", TODAY)

    def visits(self) -> list[tuple]:
        return sorted(
            (r["visit_id"], r["pages"]) for r in self.rows("silver/visits") if r["_deleted_at"] is None
        )

    def mark(self) -> str:
        found = watermarks.last_offset(self.lake.root, "bronze/visits")
        return found.value if found else ""


@pytest.fixture
def shop(spark, tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Visits:
    visits = Visits(spark, tmp_path, {"bronze/visits": BRONZE, "silver/visits": SILVER})
    visits.base = database.new("visits")
    visits.base.execute("CREATE TABLE visits (visit_id text PRIMARY KEY, pages int, updated_at timestamptz)")
    monkeypatch.setenv("SHOP", visits.base.url)
    return visits


def test_changes_late_commits_and_bad_clocks(shop: Visits):
    shop.put("v1", "1", "'2026-01-05 10:00:00.123456Z'")
    shop.put("v2", "2", "'2026-01-05 10:01:00Z'")
    shop.put("ahead", "9", "now() + interval '10 years'")
    shop.put("when", "9", "NULL")
    shop.follow()
    assert shop.visits() == [("v1", 1), ("v2", 2)]
    assert shop.mark() == "2026-01-05T10:01:00.000000+00:00"  # ten years ahead do not count
    assert shop.rows("quarantine/visits", "visit_id", "_failed_rules") == [
        ("ahead", ["updated_at_not_in_future"]),
        ("when", ["updated_at_not_null"]),
    ]

    before = shop.files("bronze/visits")
    shop.follow()
    assert shop.files("bronze/visits") == before and len(shop.rows("bronze/visits")) == 4

    shop.put("v1", "5", "'2026-01-05 10:02:00Z'")
    shop.put("late", "3", "'2026-01-05 09:50:00Z'")  # stamped before the watermark, committed after it
    shop.follow()
    assert shop.visits() == [("late", 3), ("v1", 5), ("v2", 2)]
    shop.put("later", "4", "'2026-01-05 09:51:00Z'")  # a second batch of the same lower bound
    shop.follow()
    shop.put("last", "4", "'2026-01-05 09:52:00Z'")
    shop.follow()
    batches = {path for (path,) in shop.rows("bronze/visits", "_source_file")}
    assert batches == {
        "visits/batch-1/from=start",
        "visits/batch-2/from=2026-01-05T10:01:00.000000+00:00",
        "visits/batch-3/from=2026-01-05T10:02:00.000000+00:00",
        "visits/batch-4/from=2026-01-05T10:02:00.000000+00:00",
    }
    assert len(shop.visits()) == 5

    watermarks.record(shop.lake.root, "bronze/visits", "SUCCESS", None, 0, "reset")
    versions = shop.versions(["bronze/visits", "silver/visits"])
    shop.follow()
    assert shop.versions(["bronze/visits", "silver/visits"]) == versions
    assert shop.mark() == "2026-01-05T10:02:00.000000+00:00"


def test_deleted_keys_are_found_by_the_reconciliation_alone(shop: Visits):
    now = datetime.now(timezone.utc)
    for visit in ("v1", "v2"):
        shop.put(visit, "1", f"'{now - timedelta(hours=1)}'")
    shop.follow()
    shop.base.execute("DELETE FROM visits WHERE visit_id = 'v1'")
    shop.follow()
    assert [visit for visit, _ in shop.visits()] == ["v1", "v2"]
    (job,) = [job for job in build_table_jobs(shop.tables) if job.name == "reconcile_keys"]
    places = {
        "spark": SparkResource(),
        "lakehouse": LakehouseResource(root=shop.lake.root),
        "retries": RetrySettings(),
    }
    config = {"ops": {"reconcile_keys_table": {"config": {"table": "visits"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(run_config=config, resources=places, instance=instance).success
    assert bronze.reconcile_keys(shop.lake, BRONZE) == (TODAY, 0)
    assert [visit for visit, _ in shop.visits()] == ["v2"]
    shop.put("v1", "7", f"'{now - timedelta(minutes=59)}'")  # revived, before the deletion was found
    shop.follow()
    assert shop.visits() == [("v1", 7), ("v2", 1)]


def test_the_sensor_hears_of_changes_without_a_jvm_and_says_what_it_cannot_ask(
    shop: Visits, monkeypatch: pytest.MonkeyPatch
):
    tables, places = shop.tables.values(), shop.lake.root
    shop.put("v1", "1", "'2026-01-05 10:00:00Z'")
    news, notes = sources_with_news(tables, places)
    assert set(news) == {"bronze/visits"} and not notes
    shop.follow()
    assert sources_with_news(tables, places) == ({}, [])
    shop.put(
        "late", "1", "'2026-01-05 09:50:00Z'"
    )  # the greatest time stays, the count within the overlap grows
    assert set(sources_with_news(tables, places)[0]) == {"bronze/visits"}
    shop.follow()
    shop.put("late", "2", "'2026-01-05 09:51:00Z'")  # neither the greatest time nor the count tells
    assert set(sources_with_news(tables, places)[0]) == {"bronze/visits"}
    shop.follow()
    assert dict(shop.visits())["late"] == 2
    shop.put("v1", "2", "'2026-01-05 10:00:01Z'")
    assert set(sources_with_news(tables, places)[0]) == {"bronze/visits"}
    shop.follow()
    assert sources_with_news(tables, places) == ({}, [])
    monkeypatch.setenv("SHOP", shop.base.url.replace(str(shop.base.port), "1"))
    news, (told,) = sources_with_news(tables, places)
    assert news == {} and "bronze/visits: visits at 127.0.0.1:1/visits (SHOP): cannot be reached" in told
    assert shop.base.password not in told


def test_a_source_that_changes_its_shape_is_never_a_silent_null(shop: Visits):
    shop.put("v1", "1", "'2026-01-05 10:00:00Z'")
    shop.follow()
    shop.base.execute("ALTER TABLE visits ALTER pages TYPE text, ADD gift text")
    shop.base.execute("INSERT INTO visits VALUES ('v2', 'many', '2026-01-05 10:01:00Z', 'a pen')")
    shop.base.execute("INSERT INTO visits VALUES ('v3', '3', '2026-01-05 10:02:00Z', 'a cap')")
    shop.follow()
    assert shop.visits() == [("v1", 1), ("v3", 3)]
    assert shop.rows("quarantine/visits", "pages", "_failed_rules") == [("many", ["pages_is_int"])]
    assert ("v3", "a cap") in shop.rows("silver/visits", "visit_id", "gift")

    shop.base.execute("ALTER TABLE visits DROP pages")
    with pytest.raises(SourceError, match="bronze/visits: the source has no column pages; add it there"):
        shop.run("bronze/visits", TODAY)
    shop.base.execute("ALTER TABLE visits ADD pages int")
    shop.base.execute("TRUNCATE visits")
    with pytest.raises(SourceError, match="if it was truncated, restore it"):
        shop.run("bronze/visits", TODAY)
    assert shop.visits() == [("v1", 1), ("v3", 3)]
    statuses = [row.status for row in watermarks.watermarks(shop.lake.root)["bronze/visits"]]
    assert statuses == ["SUCCESS", "SUCCESS", "FAILED", "FAILED"]
    assert shop.mark() == "2026-01-05T10:02:00.000000+00:00"
