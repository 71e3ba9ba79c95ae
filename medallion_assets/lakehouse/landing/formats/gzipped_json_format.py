"""JSON in gzip, and JSON lines under their other name. How it is read is `json_format.py`'s."""

import gzip
import tempfile
from collections.abc import Callable, Collection
from functools import partial

from medallion_assets.lakehouse.landing.area import Content
from medallion_assets.lakehouse.landing.folder import LocalContent
from medallion_assets.lakehouse.landing.formats.json_format import (
    SNIFFED_BYTES,
    JsonLayout,
    sniff_json,
    sniff_json_lines,
)
from medallion_assets.lakehouse.landing.formats.layout import UTF8, WHOLE_BYTES, Layout


def _sniff_gzipped(
    sniff: Callable[[Content], Layout], packed: Content, _required: Collection[str] = ()
) -> Layout:
    """The layout of the unzipped text; all of it is unzipped only if it is to be one text in Spark, up to its limit."""
    with packed.open() as opened, gzip.open(opened) as file, tempfile.NamedTemporaryFile() as text:
        text.write(file.read(SNIFFED_BYTES))
        text.flush()
        layout = sniff(LocalContent(text.name))
        if layout != JsonLayout(UTF8, whole=False):
            text.write(file.read(WHOLE_BYTES))
            text.flush()
            layout = sniff(LocalContent(text.name))
        return layout


SNIFFERS = {
    ".ndjson": sniff_json_lines,
    ".json.gz": partial(_sniff_gzipped, sniff_json),
    **dict.fromkeys((".jsonl.gz", ".ndjson.gz"), partial(_sniff_gzipped, sniff_json_lines)),
}
