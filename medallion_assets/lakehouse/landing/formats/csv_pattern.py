"""Java patterns that cut the text of a CSV file into records."""

import re
from dataclasses import dataclass

# The beginning of a quoted field.
OPEN = r'"[^"]*+(?:""[^"]*+)*+'
A_LINE = r"[^\r\n]*+(?:\r\n|\r|\n)"


@dataclass(frozen=True)
class CsvPattern:
    """The patterns of a file of so many fields a record."""

    separator: str
    fields: int

    @property
    def record(self) -> str:
        """A well-formed record of so many fields, which may span lines, or else a single line.

        A line ends with LF, CR or both. A CR is part of a field only where a record has too few fields without it.
        """
        end = r"(?=[\r\n]|\z)"
        return rf"{self._fields(self._field)}{end}|(?!\r){self._fields(self._field_with_cr)}{end}|[^\r\n]++"

    @property
    def unclosed(self) -> str:
        """A record with a quote that stays open."""
        return rf"^(?:{self._field}{self._between})*+{OPEN}$"

    def _fields(self, field: str) -> str:
        return rf"{field}(?:{self._between}{field}){{{self.fields - 1}}}+"

    @property
    def _between(self) -> str:
        return re.escape(self.separator)

    @property
    def _other(self) -> str:
        return rf"[^{self.separator}\r\n]"

    @property
    def _field(self) -> str:
        return rf'(?:{OPEN}"|(?!"){self._other}++|)'

    @property
    def _field_with_cr(self) -> str:
        return rf'(?:{OPEN}"|(?!"){self._other}*+(?:\r(?![\r\n]|\z){self._other}*+)*+)'
