"""The landed text of what a contract names: a column, or a field within one that holds JSON."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import Column as Expression
from pyspark.sql import functions as F

from medallion_assets.contracts.changes import MARKERS, Op
from medallion_assets.contracts.column_identity import column_key, holder_of
from medallion_assets.lakehouse.landing.formats.json_text import unmarked, with_marked_numbers
from medallion_assets.lakehouse.spark.expressions import quoted


@dataclass(frozen=True)
class LandedText:
    """The business columns of bronze.

    names: bronze may have two that are one for Spark, from before: the one that has a value counts
    nulls: texts that this source writes for a missing value
    """

    names: Sequence[str]
    nulls: Sequence[str] = ()

    @cached_property
    def columns(self) -> Mapping[str, Sequence[str]]:
        """`column_key` -> the names that are this column."""
        found: dict[str, list[str]] = {}
        for name in self.names:
            found.setdefault(column_key(name), []).append(name)
        return found

    def holder(self, source: str) -> str | None:
        """The key of the column that a source is, or is a field of; None where it has not landed."""
        return holder_of(source, self.columns)

    def text(self, sources: Iterable[str]) -> Expression:
        """The text of the first of the sources that has one; NULL where none has."""
        found = [text for source in sources if (text := self._text(source)) is not None]
        return F.coalesce(*found) if found else F.lit(None).cast("string")

    def value(self, sources: Iterable[str]) -> Expression:
        """Its text; NULL where the source says so in words."""
        text = self.text(sources)
        return F.when(~F.trim(text).isin(*self.nulls), text) if self.nulls else text

    def _text(self, source: str) -> Expression | None:
        key = self.holder(source)
        if key is None:
            return None
        column = F.coalesce(*map(quoted, self.columns[key]))
        return column if key == column_key(source) else _json_field(column, source.split(".")[1:])

    def op(self, op: Op, declared: Collection[str]) -> Expression:
        """The landed word in capitals. Without one NULL, or U where it is optional.

        Where a contract says nothing of an op and none landed, an envelope of Debezium tells it; of a column by which
        only CDC tools tell deletes nobody knows the words, so that its rows have none.
        declared: the names of the contract's columns
        """
        if not op.field:
            return F.lit("U")
        word = self._word(op.field)
        if not op.optional:
            return word
        word = F.coalesce(word, F.lit("U"))
        return word if column_key(op.field) in self.columns else self._undeclared(declared, word)

    def _word(self, field: str) -> Expression:
        """In capitals where it is ASCII, since a dotless i is no i."""
        word = F.nullif(F.trim(self.value([field])), F.lit(""))
        return F.when(F.octet_length(word) == F.length(word), F.upper(word)).otherwise(word)

    def _undeclared(self, declared: Collection[str], word: Expression) -> Expression:
        if "payload" in self.columns:
            is_envelope = self.text(["payload.before", "payload.after"]).isNotNull()
            word = F.when(is_envelope, F.coalesce(self._word("payload.op"), word)).otherwise(word)
        known = set(map(column_key, declared))
        marks = [self.text([name]) for name in MARKERS if self.holder(name) and column_key(name) not in known]
        return F.when(F.coalesce(*marks).isNull(), word) if marks else word


def _json_field(text: Expression, path: Iterable[str]) -> Expression:
    """A field of a JSON text as it landed; NULL where it is not there."""
    place = "$" + "".join(f"['{name}']" for name in path)
    return unmarked(F.get_json_object(with_marked_numbers(text), place))
