"""Random histories have few rows, and go the way of many here; all other tests go that of few."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def as_of_many_rows() -> Iterator[None]:
    from medallion_assets.lakehouse.spark import small_work

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_work, "_FEW_FILES", -1)
        yield
