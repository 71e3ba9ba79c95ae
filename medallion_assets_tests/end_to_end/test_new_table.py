"""`make new-table`: a landed source becomes two contracts and a test, which passes as it is written."""

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medallion_assets.commands.new_table import NoDraft, draft, sample, write
from medallion_assets.commands.new_table_draft import DraftColumn

ROOT = Path(__file__).parents[2]
HEADER = "Return ID,order_id,email,amount,reason,returned_on,updated_at,quantity,note"


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """With thirty rows of returns; the day before had other columns."""
    rows = [
        f"r{n},{n},a{n}@example.com,{n - 5}.5,{('damaged', 'late')[n % 2]},2026-01-0{1 + n % 3},"
        f"2026-01-02T10:00:00Z,{n % 4},{'' if n else 'so'}"
        for n in range(30)
    ]
    for day, text in (("2026-01-01", "other\n1\n"), ("2026-01-02", "\n".join([HEADER, *rows]))):
        folder = tmp_path / "landing" / "returns" / f"date={day}"
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text(text)
    return tmp_path / "landing"


def test_a_draft_has_the_types_rules_and_personal_data_that_the_rows_suggest(landing: Path):
    found = draft(str(landing), "returns", ("Return_ID",), "")
    assert found.sequence == ("updated_at",)
    assert found.columns == (
        DraftColumn("Return_ID", "string", filled=True),
        DraftColumn("order_id", "string", filled=True),  # an identifier, though of digits
        DraftColumn("email", "string", filled=True),
        DraftColumn("amount", "decimal(18,2)", filled=True, is_negative=True),
        DraftColumn("reason", "string", filled=True, values=("damaged", "late")),
        DraftColumn("returned_on", "date", filled=True),
        DraftColumn("updated_at", "timestamp", filled=True),
        DraftColumn("quantity", "bigint", filled=True),
        DraftColumn("note", "string", filled=False),
    )
    assert [column.name for column in found.columns if column.is_personal] == ["email"]


def test_files_of_each_format_are_looked_at(tmp_path: Path):
    texts = {"a.json": b'{"id": 1, "ok": true}\n', "a.csv.gz": gzip.compress(b"id,ok\n1,true\n")}
    for name, data in texts.items():
        folder = tmp_path / name.replace(".", "_") / "date=2026-01-01"
        folder.mkdir(parents=True)
        (folder / name).write_bytes(data)
        assert sample(str(tmp_path), folder.parent.name) == [{"id": "1", "ok": "true"}], name
    folder = tmp_path / "parquet" / "date=2026-01-01"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"id": [1], "ok": [True]}), folder / "a.parquet")
    assert sample(str(tmp_path), "parquet") == [{"id": "1", "ok": "true"}]


@pytest.mark.parametrize(
    ("source", "keys", "message"),
    [
        ("Returns", ("id",), "SOURCE='Returns' cannot be the name of a file"),
        ("returns", ("id",), "returns has no column id: it has Return_ID, order_id"),
        ("empty", ("id",), "land one as empty/date=2026-01-31/a.csv"),
        ("orders", ("order_id",), "is there: nothing was written"),
    ],
)
def test_what_cannot_be_drafted_is_refused(landing: Path, source: str, keys: tuple[str, ...], message: str):
    (landing / "empty").mkdir()
    shutil.copytree(landing / "returns", landing / "orders")
    with pytest.raises(NoDraft) as refused:
        write(draft(str(landing), source, keys, ""))
    assert message in str(refused.value)


@pytest.mark.long
def test_what_it_writes_is_formatted_and_its_test_passes(landing: Path, tmp_path: Path):
    for folder in ("medallion_assets", "medallion_assets_tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)

    def call(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDALLION_LANDING", str(landing))
        patch.setenv("PYTHONPATH", str(tmp_path))
        told = call("medallion_assets.commands.new_table", "--source", "returns", "--keys", "Return_ID")
        files = [line.removeprefix("Wrote ") for line in told.splitlines()[:3]]
        call("ruff", "check", *files)
        call("ruff", "format", "--check", *files)
        assert "1 passed" in call("pytest", "-q", "-p", "no:cacheprovider", files[2])
