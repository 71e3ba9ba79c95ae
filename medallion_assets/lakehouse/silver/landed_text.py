"""The landed text of what a contract names: a column, or a field within one that holds JSON."""

from collections.abc import Collection, Iterable, Mapping

from pyspark.sql import Column as Expression
from pyspark.sql import functions as F

from medallion_assets.contracts.changes import MARKERS, Op
from medallion_assets.lakehouse.landing.formats.json_format import STRING_OR_NUMBER
from medallion_assets.lakehouse.landing.formats.layout import MARK
from medallion_assets.lakehouse.spark.expressions import quoted


def text_of(landed: Mapping[str, str], sources: Iterable[str]) -> Expression:
    """The text of the first of the sources that has one; NULL where none has.

    landed: the landed columns, name in small letters -> name
    """
    found = [text for source in sources if (text := _text(landed, source)) is not None]
    return F.coalesce(*found) if found else F.lit(None).cast("string")


def holder(landed: Mapping[str, str], source: str) -> str | None:
    """The landed column that a source is, or is a field of; None where it has not landed."""
    return landed.get(source.lower()) or landed.get(source.split(".", maxsplit=1)[0].lower())


def _text(landed: Mapping[str, str], source: str) -> Expression | None:
    column = holder(landed, source)
    if column is None:
        return None
    if column.lower() == source.lower():
        return quoted(column)
    return _json_field(quoted(column), source.split(".")[1:])


def _json_field(text: Expression, path: Iterable[str]) -> Expression:
    """A field of a JSON text as it landed; NULL where it is not there.

    Spark reads a number by way of a double, unless it is a string: so numbers become strings first.
    """
    marked = F.regexp_replace(text, STRING_OR_NUMBER, f'$1"{MARK}$2{MARK}"')
    marked = F.replace(marked, F.lit(f'"{MARK}{MARK}"'), F.lit(""))
    found = F.get_json_object(marked, "$" + "".join(f"['{name}']" for name in path))
    return F.regexp_replace(found, f'"?{MARK}"?', "")


def op_text(landed: Mapping[str, str], op: Op, declared: Collection[str]) -> Expression:
    """The landed word in capitals. Without one NULL, or U where it is optional.

    Where a contract says nothing of an op and none landed, an envelope of Debezium tells it; of a column by which only
    CDC tools tell deletes nobody knows the words, so that its rows have none.
    declared: the names of the contract's columns
    """
    if not op.field:
        return F.lit("U")
    word = F.upper(F.nullif(F.trim(text_of(landed, [op.field])), F.lit("")))
    if not op.optional:
        return word
    word = F.coalesce(word, F.lit("U"))
    return word if op.field.lower() in landed else _undeclared(landed, declared, word)


def _undeclared(landed: Mapping[str, str], declared: Collection[str], word: Expression) -> Expression:
    if payload := landed.get("payload"):
        is_envelope = text_of(landed, [f"{payload}.before", f"{payload}.after"]).isNotNull()
        word = F.when(is_envelope, F.coalesce(F.upper(text_of(landed, [f"{payload}.op"])), word)).otherwise(
            word
        )
    marks = [quoted(landed[name]) for name in MARKERS if name in landed and name not in declared]
    return F.when(F.coalesce(*marks).isNull(), word) if marks else word
