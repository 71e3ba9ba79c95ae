"""The order of the changes of one key, whatever day and file they came in.

First the time or number of the change, to the last digit that landed. Of one time the last record of each file alone
speaks; between files a delete comes after an upsert, then the content (its hash) decides. Changes that are equal in all
of this are the same change, and the least day and file have it.
"""

from collections.abc import Callable

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import (
    CONTENT_HASH,
    IS_DELETE,
    PROVENANCE,
    SEQUENCE,
    SOURCE_ROW,
)
from medallion_assets.lakehouse.spark.expressions import quoted

_LAST = ("is_delete", CONTENT_HASH)
"""The fields of a sequence that follow its times."""


def times(changes: DataFrame, of: str = SEQUENCE) -> list[Expression]:
    """The time or number of a change, and of timestamps the nanoseconds. Needs: `_sequence`.

    of: the struct, if it is another of the same fields
    """
    names = changes.schema[SEQUENCE].dataType.fieldNames()  # type: ignore[attr-defined]
    return [quoted(name, of) for name in names if name not in _LAST]


def _last() -> list[Expression]:
    return [F.col(f"{SEQUENCE}.{name}") for name in _LAST]


def with_followed(table: SilverTable, changes: DataFrame) -> DataFrame:
    """Needs: keys, `_sequence`, `_ingestion_date`, `_source_file`, and `_source_row` where the places are known.

    Adds: `_is_followed`: a later record of the same file tells of the same key and time, so that this one is outdated.
    """
    if SOURCE_ROW not in changes.columns:
        return changes.withColumn("_is_followed", F.lit(False))
    at = F.struct(*times(changes), *PROVENANCE)
    along = Window.partitionBy(*map(quoted, table.merge_keys)).orderBy(at, SOURCE_ROW)
    follows = F.lead(at).over(along).eqNullSafe(at) & F.lead(SOURCE_ROW).over(along).isNotNull()
    return changes.withColumn("_is_followed", follows)


def last_first(changes: DataFrame) -> list[Expression]:
    """The changes of a key, the last one first. Needs: what `with_followed` needs and adds."""
    at, sources = F.struct(*times(changes)), [F.col(column).asc() for column in PROVENANCE]
    return [at.desc(), F.col("_is_followed").asc(), *[one.desc() for one in _last()], *sources]


def last_last(changes: DataFrame) -> list[Expression]:
    """The changes of a key, the last one last. Needs: as `last_first`."""
    at, sources = F.struct(*times(changes)), [F.col(column).desc() for column in PROVENANCE]
    return [at.asc(), F.col("_is_followed").desc(), *[one.asc() for one in _last()], *sources]


def is_undecided(changes: DataFrame, winner: Callable[[Expression], Expression]) -> Expression:
    """Whether the change lost to the next better one of its key by nothing but its content. Needs: as `last_first`.

    winner: what an expression is of that better one
    """
    tied = F.struct(*times(changes), IS_DELETE, "_is_followed")
    content = F.col(f"{SEQUENCE}.{CONTENT_HASH}")
    lost = winner(tied).eqNullSafe(tied) & ~winner(content).eqNullSafe(content)
    return lost & ~F.col("_is_followed")


def ties_with(changes: DataFrame, other: str) -> Expression:
    """Whether nothing but content tells the change from the one that is stored. Needs: `_sequence`.

    other: the stored sequence, of the same fields
    """
    told = [[*times(changes, of), F.col(f"{of}.is_delete")] for of in (SEQUENCE, other)]
    same = F.struct(*told[0]).eqNullSafe(F.struct(*told[1]))
    content, stored = (F.col(f"{of}.{CONTENT_HASH}") for of in (SEQUENCE, other))
    return F.coalesce(same & (content != stored), F.lit(False))
