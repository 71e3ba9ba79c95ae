"""How far a followed source was read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SourceOffset:
    """value: the watermark, as text

    row_count: how many rows the source held within the overlap of the watermark
    state_token: what else tells a state of the source from another: a Delta table's id, a sum of transaction numbers
    """

    value: str
    row_count: int = 0
    state_token: str = ""


def later(a: str, b: str) -> str:
    """The greater of two watermarks: ISO times of one format, or whole numbers."""
    return max(a, b, key=lambda text: (int(text), "") if text.isdigit() else (0, text))
