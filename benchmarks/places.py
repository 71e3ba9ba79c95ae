"""The folders of one side in one round: its landing, its lake, and Dagster's history."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks import ROOT
from benchmarks.cases import Load
from benchmarks.data import day

SOURCES = ("orders", "customers", "products")


@dataclass(frozen=True)
class Places:
    """All below the folder of the side."""

    folder: Path

    @property
    def landing(self) -> Path:
        return self.folder / "landing"

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def make(self, base: Path | None) -> None:
        """Empty, or a copy of the state that the loads before left in `base`."""
        if base:
            shutil.copytree(base, self.folder)
            return
        for folder in (*(self.landing / source for source in SOURCES), self.lake, self.home):
            folder.mkdir(parents=True)
        shutil.copy(ROOT / "dagster.yaml", self.home)

    def environment(self) -> dict[str, str]:
        """What a process of this side gets: our settings point to these folders, and only where Spark runs is kept."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("MEDALLION_") or name.startswith("MEDALLION_SPARK")
        }
        places = {
            "MEDALLION_LANDING": self.landing,
            "MEDALLION_LAKEHOUSE": self.lake,
            "DAGSTER_HOME": self.home,
        }
        return kept | {name: str(path) for name, path in places.items()}

    def land(self, load: Load, source: Path) -> None:
        """Links the files that the load brings; the landing only ever reads them."""
        for number in range(load.first, load.first + load.days):
            for file in source.glob(f"*/date={day(number)}/{load.files}") if load.files else ():
                landed = self.landing / file.relative_to(source)
                landed.parent.mkdir(parents=True, exist_ok=True)
                os.link(file, landed)

    def landed(self, source: str, load: Load) -> list[str]:
        """The day folders of a source that a load is about, as far as there are any."""
        days = (self.landing / source / f"date={day(load.first + n)}" for n in range(load.days))
        return [str(folder) for folder in days if folder.is_dir()]
