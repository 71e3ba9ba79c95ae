"""Whether each line of a CSV file is one record: then Spark divides the file among its tasks.

Else one task reads the file from its beginning, since only so it can tell whether a line end is within quotes.
"""

import re
from collections.abc import Iterator

from medallion_assets.lakehouse.landing.area import Content

WORTH_BYTES = 8 * 2**20
"""A smaller file is one task anyway."""

_BLOCK = 2**24
# A line of blanks is a record, which Spark drops where it reads line by line.
_BLANK = re.compile(rb"\n[\x01-\x09\x0b-\x20]+(?:\n|\Z)")


def has_record_per_line(file: Content) -> bool:
    """Whether a large file, of UTF-8 and lines that end with a newline, has neither quotes nor lines of blanks."""
    if file.size < WORTH_BYTES:
        return False
    return not any(
        b'"' in block or b"\r" in block or b"\0" in block or _BLANK.search(block) for block in _blocks(file)
    )


def _blocks(file: Content) -> Iterator[bytes]:
    """The file in pieces, each from the last newline of the one before on."""
    rest = b""
    with file.open() as opened:
        while block := opened.read(_BLOCK):
            block = rest + block
            yield block
            rest = block[max(block.rfind(b"\n"), 0) :]
