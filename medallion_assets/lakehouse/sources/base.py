"""What all followed sources share: the batch that one gives, and what is asked of one.

How one kind of source is read belongs to its own file, `<kind>_source.py`.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from pyspark.sql import Column, DataFrame, SparkSession

from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.errors import MedallionError


class SourceError(MedallionError):
    """A source cannot be read as its contract says. The message names it, never a password, and says how to fix it."""


class SourceUnreachable(SourceError):
    """A source does not answer now, and may in a minute."""

    retryable = True


@dataclass(frozen=True)
class Batch:
    """What a source has new.

    rows: every field as text, or messages as they are; readable until the context of `pull` is left
    offset: how far the rows go
    exact: no row of it can be in bronze already
    at_most: how many rows it has at most, where the source says so before they are read
    more: the source was cut here, and has more
    """

    rows: DataFrame
    offset: SourceOffset
    exact: bool
    more: bool = False
    at_most: int | None = None


@dataclass(frozen=True)
class Compared:
    """A batch beside what bronze holds.

    rows: those that it does not hold yet
    is_last: it is known to hold nothing that comes after the batch, and the next one begins there
    """

    rows: DataFrame
    is_last: bool = False


class Source(Protocol):
    """A module that reads one kind of followed source. `source` is always a contract of the type `CONTRACT`."""

    CONTRACT: type
    """Which contracts it reads, such as FollowDelta."""

    def observe(self, source: Any, since: SourceOffset | None) -> SourceOffset:
        """How far the source reaches now; equal to `since` where nothing is new. No JVM, no data. SourceError."""
        ...

    def pull(
        self, spark: SparkSession, source: Any, since: SourceOffset | None
    ) -> AbstractContextManager[Batch]:
        """The rows that are new since the offset, or (None) all rows. SourceError."""
        ...

    def against(self, source: Any, stored: DataFrame, batch: Batch, since: SourceOffset | None) -> Compared:
        """Of a batch that is not `exact`, all fields of its rows compared.

        Needs: `stored` as bronze has it, `batch.rows` with clean names. Adds: deletes, where the source can tell them.
        """
        ...

    def as_offset(self, source: Any, text: str) -> SourceOffset:
        """What a person gave as the watermark to read from. SourceError that says what is wanted."""
        ...

    def label(self, source: Any, since: SourceOffset | None) -> str:
        """What the name of the batch since an offset says of it: the same for the same offset, a file's name."""
        ...

    def changed_at(self, source: Any) -> Column:
        """When a row of a batch was changed, as a timestamp. Needs: the columns of `batch.rows`."""
        ...
