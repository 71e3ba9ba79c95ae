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
from medallion_assets.contracts.technical_columns import IS_DELETE, PROVENANCE, SEQUENCE, SOURCE_ROW
from medallion_assets.lakehouse.silver.standardize import HASH_LENGTH
from medallion_assets.lakehouse.spark.expressions import quoted

_LAST = ("is_delete", "hash")
"""The fields of a sequence that follow its times."""


def times(changes: DataFrame, of: str = SEQUENCE) -> list[Expression]:
    """The time or number of a change, and of timestamps the digits beyond microseconds. Needs: `_sequence`.

    of: the struct, if it is another of the same fields
    """
    fields = [one for one in changes.schema[SEQUENCE].dataType.fields if one.name not in _LAST]  # type: ignore[attr-defined]
    stamps = [one.name for one in fields if one.dataType.typeName() == "timestamp"]
    found: list[Expression] = []
    for field in fields:
        found.append(quoted(field.name, of))
        if field.name in stamps:
            found.append(_digits(of, stamps.index(field.name)).alias(f"{field.name}_digits"))
    return found


def _digits(of: str, position: int) -> Expression:
    """The digits of the timestamp of this position: three for each stand before the hash, if any has some."""
    hash_ = F.col(f"{of}.hash")
    is_longer = F.length(hash_) > HASH_LENGTH
    return F.when(is_longer, F.substring(hash_, 3 * position + 1, 3)).otherwise(F.lit("000"))


def sequence_of(changes: DataFrame, of: str = SEQUENCE) -> Expression:
    """What orders changes of different files: a struct. Needs: `_sequence`."""
    return F.struct(*times(changes, of), *_last(changes, of))


def _last(changes: DataFrame, of: str = SEQUENCE) -> list[Expression]:
    names = changes.schema[SEQUENCE].dataType.fieldNames()  # type: ignore[attr-defined]
    return [F.col(f"{of}.{name}") for name in _LAST if name in names]


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
    return [at.desc(), F.col("_is_followed").asc(), *[one.desc() for one in _last(changes)], *sources]


def last_last(changes: DataFrame) -> list[Expression]:
    """The changes of a key, the last one last. Needs: as `last_first`."""
    at, sources = F.struct(*times(changes)), [F.col(column).desc() for column in PROVENANCE]
    return [at.asc(), F.col("_is_followed").desc(), *[one.asc() for one in _last(changes)], *sources]


def is_undecided(changes: DataFrame, winner: Callable[[Expression], Expression]) -> Expression:
    """Whether the change lost to the next better one of its key by nothing but its content. Needs: as `last_first`.

    winner: what an expression is of that better one
    """
    tied = F.struct(*times(changes), IS_DELETE, "_is_followed")
    hash_ = F.col(f"{SEQUENCE}.hash")
    lost = winner(tied).eqNullSafe(tied) & ~winner(hash_).eqNullSafe(hash_)
    return lost & ~F.col("_is_followed")


def ties_with(changes: DataFrame, other: str) -> Expression:
    """Whether nothing but content tells the change from the one that is stored. Needs: `_sequence`.

    other: the stored sequence, of the same fields
    """
    told = [[*times(changes, of), F.col(f"{of}.is_delete")] for of in (SEQUENCE, other)]
    same = F.struct(*told[0]).eqNullSafe(F.struct(*told[1]))
    return F.coalesce(same & (F.col(f"{SEQUENCE}.hash") != F.col(f"{other}.hash")), F.lit(False))
