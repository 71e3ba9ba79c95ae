"""The gold tables below the followed topics, at a slower beat than silver: each computes whole days anew."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.lakehouse.gold.staleness import staleness
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.stored_contract import NewerContract
from medallion_assets.orchestration.assets import steps
from medallion_assets.orchestration.streaming.reports import Reports, Work

log = logging.getLogger(__name__)


class GoldBeat:
    """Refreshes what is stale of some tables, upstream first, until it is stopped or a contract is outdated.

    open_lake: opens the lake with the calendar as it is by then
    """

    def __init__(
        self,
        open_lake: Callable[[], Lake],
        tables: Sequence[GoldTable],
        every: float,
        reports: Reports,
        stop: threading.Event,
    ):
        self.open_lake, self.tables, self.every = open_lake, tables, every
        self.reports, self.stop = reports, stop
        self.is_outdated = False
        self._told: dict[str, str] = {}

    def run(self) -> None:
        while not self.stop.is_set():
            began = time.monotonic()
            lake = self.open_lake()
            for table in self.tables:
                if not self.stop.is_set():
                    self._try(lake, table)
            self.stop.wait(max(self.every - (time.monotonic() - began), 1.0))

    def _try(self, lake: Lake, table: GoldTable) -> None:
        """An error stops no other table; the same one is told once."""
        try:
            self._refresh(lake, table)
            self._told.pop(table.key, None)
        except NewerContract as error:
            log.warning(str(error))
            self.is_outdated = True
            self.stop.set()
        except Exception as error:
            log.warning(f"{table.key}: {error}")
            if self._told.get(table.key) != str(error):
                self._told[table.key] = str(error)
                self.reports.failed(lake, table, error)

    def _refresh(self, lake: Lake, table: GoldTable) -> None:
        stale = staleness(lake.root, table)
        if stale is None:
            return
        began, before = time.monotonic(), transaction_log.version(lake.root, table.key)
        days = sorted(stale.days & {*lake.calendar}) or [lake.calendar[-1]]
        reports = steps.run(lake, table, days)
        self.reports.add(
            Work(
                lake,
                table,
                days=tuple(report.day for report in reports),
                reports=lambda: reports,
                seconds=time.monotonic() - began,
                before=before,
                verdicts={(r.day, name): v.passed for r in reports for name, v in r.verdicts.items()},
            )
        )
