"""A new kind of source or format is one file in its folder: what is there is found, and complete."""

import inspect
from pathlib import Path

import pytest

from medallion_assets.contracts import FollowDelta, FollowTable, FollowTopic
from medallion_assets.contracts.table import WritePolicy
from medallion_assets.lakehouse.landing.folder import LocalContent
from medallion_assets.lakehouse.landing.formats.detection import SNIFFERS, sniff
from medallion_assets.lakehouse.sources import SOURCES, delta_source, kafka_source, postgres_source
from medallion_assets.lakehouse.sources.base import Source


def followed(policy: type = WritePolicy) -> set[type]:
    """Every way to be written that follows a source."""
    below = {kind for sub in policy.__subclasses__() for kind in followed(sub)}
    return below | ({policy} if getattr(policy, "follows_source", False) else set())


def test_every_followed_source_has_the_one_module_that_reads_it():
    readers = {FollowDelta: delta_source, FollowTable: postgres_source, FollowTopic: kafka_source}
    assert readers == SOURCES
    assert SOURCES.keys() == followed()


@pytest.mark.parametrize("module", SOURCES.values(), ids=lambda module: module.__name__)
@pytest.mark.parametrize("function", ["observe", "pull", "against", "as_offset", "label", "changed_at"])
def test_a_source_fulfils_the_protocol(module: Source, function: str):
    asked = list(inspect.signature(getattr(Source, function)).parameters)[1:]
    assert list(inspect.signature(getattr(module, function)).parameters) == asked


def test_every_format_is_found_by_the_endings_that_it_names(tmp_path: Path):
    lines = {".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz"}
    separated = {".csv", ".csv.gz", ".tsv", ".tsv.gz"}
    assert SNIFFERS.keys() == {".json", ".json.gz", ".parquet", *lines, *separated}
    (tmp_path / "a.CSV").write_text("id,price\n1,2\n")
    layout = sniff(LocalContent(str(tmp_path / "a.CSV")))
    assert layout is not None and layout.columns == ("id", "price")
