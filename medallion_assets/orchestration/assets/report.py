"""The asset `report`: the page of the last 30 days, written when somebody materializes it, and by no job or sensor."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from medallion_assets.contracts.table import Table
from medallion_assets.orchestration.failures import RetrySettings, handled
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.report.build import Report, build_report, write

REPORT = "report"
"""The asset, and its group."""


def build_report_asset(tables: Mapping[str, Table]) -> dg.AssetsDefinition:
    @dg.asset(
        name=REPORT,
        group_name=REPORT,
        description="One HTML page of the last 30 days: outcomes, refused days and why, rows, quality, runs, gold.",
        owners=["team:data-platform"],
        kinds={"html"},
        backfill_policy=dg.BackfillPolicy.single_run(),  # so that a range of all assets can be one run
    )
    def report(
        context: dg.AssetExecutionContext, lakehouse: LakehouseResource, retries: RetrySettings
    ) -> dg.MaterializeResult[Any]:
        with handled(context, lakehouse.lake_root, retries, REPORT):
            built = build_report(lakehouse.lake_root, tables)
            path = Path(context.instance.storage_directory()) / REPORT / "report.html"
            write(built, path)
        return dg.MaterializeResult(
            metadata={"path": dg.PathMetadataValue(str(path)), "preview": _preview(built)}
        )

    return report


def _preview(report: Report) -> dg.MarkdownMetadataValue:
    """Each line a paragraph of Markdown, as it is said."""
    return dg.MetadataValue.md("\n\n".join([report.summary, *report.to_mend]))
