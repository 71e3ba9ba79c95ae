"""What all followed sources share: how far one was read, and what a batch of it is."""

from dataclasses import dataclass

from pyspark.sql import DataFrame


class SourceError(Exception):
    """A source cannot be read as its contract says. The message names it, never a password, and says how to mend it."""


@dataclass(frozen=True)
class Mark:
    """How far a source was read.

    value: its watermark, as text
    held: how many rows it held within the overlap of that
    stamp: what else tells a state of the source from another: a Delta table's id, a sum of transaction numbers
    """

    value: str
    held: int = 0
    stamp: str = ""


@dataclass(frozen=True)
class Batch:
    """What a source has new. `rows`: every field as text, readable until the source is left; `mark`: how far they go.

    exact: no row of it can be in bronze already
    """

    rows: DataFrame
    mark: Mark
    exact: bool
