"""What landed changes mean, and which of two files comes first: the words of CDC tools, said in a contract."""

import fnmatch
from dataclasses import dataclass
from typing import ClassVar

DELETE_OPS = ("D",)
UPSERT_OPS = ("I", "U", "C", "R")
TRUNCATE_OP = "T"
"""What Debezium says of a table that was emptied at once."""
KNOWN_UPSERTS = (
    *UPSERT_OPS,
    *("INSERT", "UPDATE", "UPSERT", "CREATE", "READ", "UPDATE_POSTIMAGE", "2", "4", "FALSE"),
)
"""What CDC tools call a row that is there: DMS, Debezium, GoldenGate, Delta, SQL Server, and a flag of deletes."""

MARKERS = ("landed__op", "landed__deleted", "landed_change_type", "landed__$operation")
"""Columns (as landing names them) by which tools tell deletes, and by no chance anything else."""

BY_NAME, BY_LANDING = "name", "landing"


@dataclass(frozen=True)
class Op:
    """Which landed field says what a row does to its key, and by which words.

    field: a landed column, or a field within one that holds JSON, as `payload.op`
    deletes, ignores, upserts: words, case aside; `deletes` and `ignores` may be an SQL predicate over the landed
    columns and `_op` (the word in capitals, NULL where there is none). Ignored rows reach neither silver nor
    quarantine, any other word goes to quarantine.
    optional: files or rows without an op are upserts; else they go to quarantine
    """

    field: str
    deletes: tuple[str, ...] | str = DELETE_OPS
    ignores: tuple[str, ...] | str = ()
    upserts: tuple[str, ...] = KNOWN_UPSERTS
    optional: bool = False

    kind: ClassVar[str] = "op"

    @property
    def words(self) -> tuple[str, ...]:
        """All that are known, in capitals."""
        named = [words for words in (self.deletes, self.ignores) if isinstance(words, tuple)]
        return tuple(dict.fromkeys(word.upper() for words in (self.upserts, *named) for word in words))

    @property
    def predicates(self) -> dict[str, str]:
        """Of `deletes` and `ignores` those that are SQL."""
        named = {"deletes": self.deletes, "ignores": self.ignores}
        return {name: sql for name, sql in named.items() if isinstance(sql, str)}


@dataclass(frozen=True)
class FileOrder:
    """Which of two files of one day comes first where nothing else decides.

    first: files of such names (`*` and `?` stand for any text and letter) come before all others of their day, as the
    load before the changes that were made meanwhile
    by: then by `name`, part-9 before part-10, or by time of `landing`
    """

    first: str = "LOAD????????.*"
    by: str = BY_NAME

    kind: ClassVar[str] = "file_order"

    @property
    def first_pattern(self) -> str:
        """A regular expression that paths of the files that come first match."""
        return f"(?:^|/){fnmatch.translate(self.first)}"
