"""Random histories have few rows. Here they go the ways of few and of many in turn; all other tests go that of few."""

from collections.abc import Iterator
from itertools import cycle

import pytest


class Turns:
    """A limit of files that is kept every other time."""

    def __init__(self) -> None:
        self.kept = cycle((True, False))

    def __ge__(self, files: int) -> bool:
        return next(self.kept)


@pytest.fixture(autouse=True, scope="module")
def as_of_few_rows_and_of_many() -> Iterator[None]:
    from medallion_assets.lakehouse.spark import small_work

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_work, "_FEW_FILES", Turns())
        yield
