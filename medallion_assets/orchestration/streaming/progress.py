"""How far a topic is ahead of the lake: for the heartbeat of its stream, and for the metadata of its tables."""

import os
import platform
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from medallion_assets.contracts.table import Table
from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.control.streams import RUNNING, STOPPED, Stream
from medallion_assets.lakehouse.sources.kafka_source import is_at_least

_MOST_SEEN = 1_000
"""Ends of the topic that are remembered: three hours of a topic that is not taken."""


class Progress:
    """Of one topic. Threads of its stream and of its batches write it; others read `row`, which is replaced whole."""

    def __init__(self, table: Table, below: Sequence[Table], run_id: str):
        self._writing = threading.Lock()
        self._taken_until = time.monotonic()
        self._seen: list[tuple[float, SourceOffset]] = []
        started = now()
        self.row = Stream(
            table_name=table.key,
            tables=[table.key, *(one.key for one in below)],
            host=platform.node(),
            pid=os.getpid(),
            run_id=run_id,
            status=RUNNING,
            started_at=started,
            heartbeat_at=started,
        )

    def reached(self, held: SourceOffset | None, ends: SourceOffset | None, at: float) -> None:
        """Bronze holds the topic up to an offset, and it reached `ends` at that time; None: nobody can tell.

        Once bronze holds what the topic had at a time, no message that it does not hold is older than that.
        """
        with self._writing:
            if ends and len(self._seen) < _MOST_SEEN:
                self._seen.append((at, ends))
            while self._seen and held and is_at_least(held, self._seen[0][1]):
                self._taken_until, _ = self._seen.pop(0)
            oldest = round(time.monotonic() - self._taken_until, 1) if self._seen else 0.0
        lag = ends.row_count - (held.row_count if held else 0) if ends else 0
        self._set(
            watermark_value=held.value if held else None,
            lag_messages=max(lag, 0) if ends else -1,
            oldest_untaken_seconds=oldest,
        )

    def ticked(self, seconds: float) -> None:
        self._set(tick_seconds=round(seconds, 3), error="")

    def failed(self, error: str) -> None:
        self._set(error=error[:500])

    def stopped(self) -> None:
        self._set(status=STOPPED)

    def _set(self, **changes: Any) -> None:
        with self._writing:
            self.row = replace(self.row, **changes)

    @property
    def figures(self) -> dict[str, int | float]:
        """Numbers that plot."""
        row = self.row
        return {
            "lag_messages": row.lag_messages,
            "oldest_untaken_seconds": row.oldest_untaken_seconds,
            "tick_seconds": row.tick_seconds,
        }
