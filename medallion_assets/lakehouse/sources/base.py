"""What all followed sources share: how far one was read, and what a batch of it is."""

from dataclasses import dataclass

from pyspark.sql import DataFrame

from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.errors import MedallionError


class SourceError(MedallionError):
    """A source cannot be read as its contract says. The message names it, never a password, and says how to mend it."""


@dataclass(frozen=True)
class Batch:
    """What a source has new. `rows`: every field as text, readable until the source is left; `offset`: how far they go.

    exact: no row of it can be in bronze already
    """

    rows: DataFrame
    offset: SourceOffset
    exact: bool
