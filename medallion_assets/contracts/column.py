"""A column of a table, as its file declares it."""

from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from medallion_assets.contracts.measures import Measure
from medallion_assets.contracts.sql_types import NoSuchType, normal_type

INGESTION_DATE = "_ingestion_date"


@dataclass(frozen=True)
class Column:
    """`type` is a Spark SQL type, kept as Spark writes it; bronze is text whatever it says.

    description: that of the column it is a copy of, where it is empty
    lineage: the columns it comes from as `layer.table.column`; empty where these follow from its name or measure
    optional: the landed files may lack it without a word from `schema_drift`
    raw: a key keeps the spelling that landed; else it is trimmed and composed (see `key_text.normal_key`)
    sentinels: dates or times outside of 1900 to 2200 that are meant, as "9999-12-31": they are kept and do not warn
    pii: personal data, masked wherever rows are shown; said of one that lands, it holds for all that come from it
    measure: how gold aggregates it; in a table with measures the columns without one are its grain
    source: silver: the landed column that it comes from, where that has another name, or a field within one that holds
    JSON, as `payload.after.id`; of several the first that has a value
    """

    name: str
    type: str = "string"
    description: str = ""
    lineage: tuple[str, ...] = ()
    optional: bool = False
    raw: bool = False
    pii: bool = False
    sentinels: tuple[str, ...] = ()
    measure: Measure | None = None
    source: str | tuple[str, ...] = ()

    kind: ClassVar[str] = "column"

    def __post_init__(self) -> None:
        with suppress(NoSuchType, TypeError):  # which `declaration` tells, with all other faults
            object.__setattr__(self, "type", normal_type(self.type))

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,) if isinstance(self.source, str) else self.source
