"""What a step tells Dagster of each day: its materialization with figures and samples, and a verdict for each check."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse import log
from medallion_assets.lakehouse.storage import Lake
from medallion_assets.orchestration import events
from medallion_assets.orchestration.checks import checks_of
from medallion_assets.orchestration.describe import key_of
from medallion_assets.orchestration.layers import DayReport
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.orchestration.samples import previews

PREVIEWED_DAYS = 31
"""A preview costs a small read a day: in a run over more days the last ones get it."""


@dataclass(frozen=True)
class Telling:
    """The reports of a step of one table that took `seconds`."""

    instance: dg.DagsterInstance
    lakehouse: LakehouseResource
    lake: Lake
    table: Table
    seconds: float

    def events(
        self, reports: Collection[DayReport], writes: bool, checks: Collection[str], red: dict[str, str]
    ) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
        """Day by day, the chosen checks. Days that a blocking check refuses are added to `red`."""
        table, key = self.table, key_of(self.table)
        chosen = [check for check in checks_of(table) if check.name in checks]
        figures = _common_metadata(self.lake, table, reports, self.seconds)
        for report in sorted(reports, key=lambda report: report.day):
            day = report.day
            if writes and report.published and day not in red:
                shown = previews(self.lakehouse, table, day) if day in figures.previewed else {}
                metadata = {**report.metadata, **figures.of(day), **shown}
                yield dg.AssetMaterialization(key, partition=day, metadata=metadata)
            if not report.has_verdicts:
                continue  # a verdict costs 20 ms to keep, a year of them minutes
            target = events.last_materialization(self.instance, key, day)
            for check in chosen:
                verdict = report.verdicts[check.name]
                if check.blocking and not verdict.passed:
                    red[day] = f"{key.to_user_string()} check {check.name}"
                yield events.evaluation(key, day, check, verdict, target)


@dataclass(frozen=True)
class _Figures:
    """Metadata that is the same kind of thing for every layer."""

    version: int | None
    seconds: float
    sizes: Mapping[str | None, int]
    partitioned: bool
    previewed: Collection[str]

    def of(self, day: str) -> dict[str, Any]:
        size = self.sizes.get(day, 0) if self.partitioned else sum(self.sizes.values())
        return {"delta_version": self.version or 0, "seconds": self.seconds, "bytes": size}


def _common_metadata(lake: Lake, table: Table, reports: Collection[DayReport], seconds: float) -> _Figures:
    return _Figures(
        version=log.version(lake.root, table.key),
        seconds=round(seconds / max(len(reports), 1), 3),
        sizes=log.partition_bytes(lake.root, table.key),
        partitioned=table.layer == "bronze" or table.partition_by is not None,
        previewed=sorted(report.day for report in reports)[-PREVIEWED_DAYS:],
    )


def failure(red: Mapping[str, str]) -> dg.Failure:
    why = "; ".join(f"{day}: {check} not passed" for day, check in sorted(red.items()))
    return dg.Failure(f"bad days: {why}", metadata={"bad_days": sorted(red)}, allow_retries=False)
