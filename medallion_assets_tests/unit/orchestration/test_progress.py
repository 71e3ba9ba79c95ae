"""How old the oldest message that is not taken may be: a bound that holds while messages keep coming."""

import pytest

from medallion_assets.lakehouse.sources.kafka_source import offset_at
from medallion_assets.orchestration.streaming import progress
from medallion_assets.orchestration.streaming.progress import Progress
from medallion_assets.tables import find_tables


def test_no_message_that_is_not_taken_is_older_than_the_last_end_of_the_topic_that_is_taken(
    monkeypatch: pytest.MonkeyPatch,
):
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    told = Progress(find_tables()["bronze/orders"], [], "stream-1")

    def after(seconds: float, held: dict[int, int], ends: dict[int, int] | None) -> tuple[int, float]:
        clock[0] += seconds
        told.reached(offset_at("t", held), offset_at("t", ends) if ends else None, clock[0])
        return told.row.lag_messages, told.row.oldest_untaken_seconds

    assert after(5, {0: 3, 1: 3}, {0: 3, 1: 3}) == (0, 0.0)
    assert after(5, {0: 3, 1: 3}, {0: 9, 1: 3}) == (6, 5.0)
    assert after(5, {0: 9, 1: 3}, {0: 20, 1: 3}) == (11, 5.0)
    assert after(5, {0: 12, 1: 9}, {0: 20, 1: 20}) == (19, 10.0)  # as many, and not those
    assert after(5, {0: 12, 1: 9}, None) == (-1, 15.0)
    assert after(5, {0: 20, 1: 20}, {0: 20, 1: 20}) == (0, 0.0)
