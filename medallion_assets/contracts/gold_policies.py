"""How gold is written where not by day: whole, as a dimension, or straight from landed files."""

from dataclasses import dataclass
from typing import ClassVar

from medallion_assets.contracts.column import INGESTION_DATE
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import WritePolicy


@dataclass(frozen=True)
class ReplaceWhole(WritePolicy):
    """Gold that is not local to a day (a row a customer): computed whole, written only where it differs."""

    kind: ClassVar[str] = "replace_whole"
    replaces_whole: ClassVar[bool] = True


@dataclass(frozen=True)
class Dimension(ReplaceWhole):
    """Gold: what facts are described by. One row more is the unknown member, which facts without a member join.

    surrogate: the column that facts bear, a hash of `keys` unless the transform gives it: the same after any rebuild
    """

    surrogate: str
    keys: tuple[str, ...]

    kind: ClassVar[str] = "dimension"
    is_dimension: ClassVar[bool] = True

    @property
    def row_key(self) -> tuple[str, ...]:
        return (self.surrogate,)


@dataclass(frozen=True)
class Extract(WritePolicy):
    """ETL: a day's landed files are validated by a silver contract and transformed; only the result is loaded.

    `validated_by` names the files (those of its bronze table), the types and the rules; broken rows, deletes and all
    but the last change of a key in the day are left out. Only the result is kept: each ingestion day is replaced.
    """

    validated_by: SilverTable

    kind: ClassVar[str] = "extract"
    is_extract: ClassVar[bool] = True

    @property
    def day_column(self) -> str:
        return INGESTION_DATE
