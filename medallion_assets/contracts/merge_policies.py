"""How silver keeps the changes of a key: the latest one, or the versions that they make."""

from dataclasses import dataclass, field
from typing import ClassVar

from medallion_assets.contracts.changes import UPSERT_OPS, FileOrder, Op
from medallion_assets.contracts.table import WritePolicy


@dataclass(frozen=True)
class Upsert(WritePolicy):
    """Silver: the latest change of each key (SCD1), deletes kept as tombstones.

    `sequence_by` orders the changes of one key; without it the ingestion day and then the files do, as `file_order`
    says (DMS's LOAD files first, then the natural order of names). With it `file_order`, if given, decides between
    changes of the same time. Of two records of one file that nothing else tells apart the later one counts.
    `op` says what a row does: an `Op`, or the name of the landed column that marks deletes (D), where there is one.
    """

    keys: tuple[str, ...]
    sequence_by: tuple[str, ...] = ()
    op: str | Op = "op"
    file_order: FileOrder | None = None

    kind: ClassVar[str] = "upsert"
    has_keys: ClassVar[bool] = True

    @property
    def row_key(self) -> tuple[str, ...]:
        return self.keys

    @property
    def sequence(self) -> tuple[str, ...]:
        return self.sequence_by

    @property
    def meaning(self) -> Op:
        return self.op if isinstance(self.op, Op) else Op(self.op, upserts=UPSERT_OPS, optional=True)

    @property
    def order_of_files(self) -> FileOrder | None:
        return self.file_order if self.sequence_by else self.file_order or FileOrder()


@dataclass(frozen=True)
class Scd2(Upsert):
    """Silver: the versions of each key (SCD type 2), `valid_from` <= time < `valid_to`; a delete leaves a gap.

    A change of a `tracked` column begins a version; other columns overwrite in the version that holds. The times are
    those of the first column of `sequence_by`.
    """

    tracked: tuple[str, ...] = field(kw_only=True)

    kind: ClassVar[str] = "scd2"
    keeps_versions: ClassVar[bool] = True

    @property
    def row_key(self) -> tuple[str, ...]:
        return (*self.keys, "valid_from")
