"""The least that can be done with the landed files: read them once, write them once, compute nothing."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq
from deltalake import write_deltalake

from benchmarks.cases import Load
from benchmarks.places import SOURCES, Places
from benchmarks.probe import Probe


class Limit:
    """Appends what landed to a table a source."""

    def __init__(self, places: Places, layers: tuple[str, ...]):
        self.places = places

    @property
    def jobs_started(self) -> Callable[[], int]:
        return lambda: 0

    def load(self, load: Load, probe: Probe) -> None:
        for source in SOURCES:
            files = [file for folder in self.places.landed(source, load) for file in Path(folder).iterdir()]
            if files:
                with probe.step(f"limit.{source}"):
                    write_deltalake(str(self.places.lake / "bronze" / source), _rows(files), mode="append")


def _rows(files: list[Path]) -> pa.RecordBatchReader:
    """The rows of all files, as a stream: a file of 1 GB is not held in memory."""
    first = next(_batches(files[0]))
    batches = (batch for file in files for batch in _batches(file))
    return pa.RecordBatchReader.from_batches(first.schema, batches)


def _batches(file: Path):
    if file.suffix == ".csv":
        yield from pyarrow.csv.open_csv(file)
    elif file.suffix == ".jsonl":
        yield from pyarrow.json.read_json(file).to_batches()
    else:
        yield from pq.ParquetFile(file).iter_batches()
