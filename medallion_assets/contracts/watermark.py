"""How far a source was read: what is kept between two reads, and which of two watermarks is the later."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SourceOffset:
    """How far a source was read.

    value: its watermark, as text
    row_count: how many rows it held within the overlap of that
    state_token: what else tells a state of the source from another: a Delta table's id, a sum of transaction numbers
    """

    value: str
    row_count: int = 0
    state_token: str = ""


def later(a: str, b: str) -> str:
    """The greater of two watermarks: ISO times of one format, or whole numbers."""
    return max(a, b, key=lambda text: (int(text), "") if text.isdigit() else (0, text))
