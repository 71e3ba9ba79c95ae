"""Dagster on a workshop's lake: runs jobs and sensors' requests in one instance, and reads what they told."""

from collections import defaultdict
from collections.abc import Iterable

import dagster as dg

from medallion_assets.definitions import repository
from medallion_assets_tests.support.sample_lake import TABLES, SampleLake

KIND = dg.DagsterEventType
SALES = TABLES["gold/daily_sales"]
# Of the repository those tables that daily sales are made of, but for the dates: each step costs a second.
defs = repository(
    {
        key: table
        for key, table in TABLES.items()
        if key in {SALES.key, *SALES.ancestor_keys} - {"gold/dim_date"}
    }
)


class DagsterRunner:
    """Runs jobs of the repository on a workshop's lake, in one kept instance."""

    def __init__(self, shop: SampleLake, instance: dg.DagsterInstance, definitions: dg.Definitions = defs):
        self.shop, self.instance, self.defs = shop, instance, definitions
        self.cursors: dict[str, str] = {}
        self.run_keys: set[str | None] = set()

    def run(
        self, job: str, first: str, last: str | None = None, *, run_id: str | None = None
    ) -> dg.ExecuteInProcessResult:
        days = {
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last or first,
        }
        definition = self.defs.resolve_job_def(job)
        return definition.execute_in_process(
            instance=self.instance, tags=days, run_id=run_id, raise_on_error=False
        )

    def run_assets(self, keys: Iterable[str], day: str) -> dg.ExecuteInProcessResult:
        """Some assets of a day alone, and their checks."""
        selected = [dg.AssetKey(key.split("/")) for key in keys]
        definition = self.defs.resolve_job_def("landing_to_gold")
        return definition.execute_in_process(
            instance=self.instance, partition_key=day, asset_selection=selected, raise_on_error=False
        )

    def tick(self, sensor: str) -> dg.SensorResult:
        """Evaluates a sensor with the cursor of its last tick."""
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursors.get(sensor),
            sensor_name=sensor,
            resources={name: (self.defs.resources or {})[name] for name in ("lakehouse", "sensor_settings")},
        )
        result = self.defs.get_repository_def().get_sensor_def(sensor)(context)
        assert isinstance(result, dg.SensorResult) and result.cursor is not None
        self.cursors[sensor] = result.cursor
        return result

    def ask(self, sensor: str) -> list[dg.RunRequest]:
        """What a tick asks for, less what Dagster drops: a run key counts once and for ever."""
        asked = [one for one in self.tick(sensor).run_requests or [] if one.run_key not in self.run_keys]
        self.run_keys |= {one.run_key for one in asked}
        return asked

    def carry(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        """The run that was asked for."""
        definition = self.defs.resolve_job_def("landing_to_gold")
        return definition.execute_in_process(
            instance=self.instance,
            tags=request.tags,
            partition_key=request.partition_key,
            asset_selection=request.asset_selection,
            raise_on_error=False,
        )


def materializations(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, dict]]:
    """Asset -> day -> metadata."""
    return _metadata(
        event.step_materialization_data.materialization
        for event in result.all_events
        if event.event_type is KIND.ASSET_MATERIALIZATION
    )


def observations(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, dict]]:
    """Asset -> day -> metadata."""
    return _metadata(
        event.asset_observation_data.asset_observation
        for event in result.all_events
        if event.event_type is KIND.ASSET_OBSERVATION
    )


def _metadata(told: Iterable[dg.AssetMaterialization | dg.AssetObservation]) -> dict[str, dict[str, dict]]:
    found: dict[str, dict[str, dict]] = defaultdict(dict)
    for one in told:
        metadata = {name: value.value for name, value in one.metadata.items()}
        found[one.asset_key.to_user_string()][one.partition or ""] = metadata
    return dict(found)


def checks(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], dict[str, bool]]:
    """(asset, check) -> day -> passed."""
    found: dict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    for event in result.all_events:
        if event.event_type is KIND.ASSET_CHECK_EVALUATION:
            done = event.asset_check_evaluation_data
            found[done.asset_key.to_user_string(), done.check_name][done.partition or ""] = done.passed
    return dict(found)


def span(request: dg.RunRequest) -> tuple[str, str]:
    """The first and the last day that were asked for."""
    tags = request.tags
    first = request.partition_key or tags["dagster/asset_partition_range_start"]
    return first, request.partition_key or tags["dagster/asset_partition_range_end"]


def assets(request: dg.RunRequest) -> set[str]:
    return {key.to_user_string() for key in request.asset_selection or []}
