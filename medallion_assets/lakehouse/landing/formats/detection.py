"""The file formats that may land. `sniff` looks at the beginning of a file and says how to read it."""

import os

from medallion_assets.lakehouse.landing.column_names import UnreadableFile
from medallion_assets.lakehouse.landing.formats.csv_format import sniff_csv
from medallion_assets.lakehouse.landing.formats.json_format import sniff_json, sniff_json_lines
from medallion_assets.lakehouse.landing.formats.layout import Layout
from medallion_assets.lakehouse.landing.formats.parquet_format import sniff_parquet

SNIFFERS = {
    ".csv": sniff_csv,
    ".csv.gz": sniff_csv,
    ".json": sniff_json,
    ".jsonl": sniff_json_lines,
    ".parquet": sniff_parquet,
}


def sniff(path: str) -> Layout | None:
    """The layout of a file, None if it holds no records. UnreadableFile or OSError if it cannot be read."""
    if ":" in os.path.basename(path):
        raise UnreadableFile("Spark reads no file that has a colon in its name; rename it")
    for ending, sniff_format in SNIFFERS.items():
        if path.lower().endswith(ending):
            return sniff_format(path)
    raise UnreadableFile(f"unknown ending; name the file by what it holds: {', '.join(SNIFFERS)}")
