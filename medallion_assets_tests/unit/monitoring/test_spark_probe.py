"""What the probe of `make doctor` says before it asks an executor."""

from pathlib import Path
from typing import Any, cast

import pytest

from medallion_assets.lakehouse.monitoring.spark_probe import ProbeError, try_session


def test_a_lake_that_cannot_be_written_is_named_in_one_line(tmp_path: Path):
    (tmp_path / "lake").write_text("a file in the folder's place")
    with pytest.raises(ProbeError, match=rf"^{tmp_path}/lake cannot be written: .+$") as told:
        try_session(cast(Any, None), f"{tmp_path}/lake")
    assert "\n" not in str(told.value)
