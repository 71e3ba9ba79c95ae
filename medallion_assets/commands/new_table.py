"""Writes the contracts of a landed source, and their test, for a person to finish. No Spark; nothing is overwritten.

Exit code 2: no such source, no such column, or a table of that name.
"""

import argparse
import keyword
import re
import subprocess
import sys
from pathlib import Path

import duckdb

import medallion_assets
from medallion_assets.commands.new_table_draft import Draft, Rows, draft_columns
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.landing.column_names import UnreadableFile, clean_names
from medallion_assets.lakehouse.landing.listing import area_of, list_days, list_files
from medallion_assets.lakehouse.monitoring.sql_views import connect
from medallion_assets.orchestration.resources import LakehouseResource

SAMPLE = 10_000
"""Rows that are looked at, of the newest landed day."""
_SEQUENCES = ("updated_at", "modified_at", "changed_at", "last_modified", "updated", "modified")
_READERS = {
    ".csv": "read_csv(?, all_varchar = true, hive_partitioning = false)",
    ".parquet": "read_parquet(?, hive_partitioning = false)",
    "": "read_json(?, hive_partitioning = false)",
}
"""By what a file's name holds."""
_PACKAGE = Path(medallion_assets.__file__).parent
_TESTS = _PACKAGE.parent / "medallion_assets_tests"


class NoDraft(MedallionError):
    """There is nothing to draft a table of. The message says what is missing."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Drafts the tables of a landed source.")
    parser.add_argument("--source", required=True, help="its folder in the landing area, such as returns")
    parser.add_argument("--keys", required=True, help="the columns of its key, separated by commas")
    parser.add_argument(
        "--sequence", default="", help="the column that orders changes (updated_at, if there)"
    )
    asked = parser.parse_args()
    try:
        made = draft(LakehouseResource().landing_root, asked.source, _split(asked.keys), asked.sequence)
        written = write(made)
    except MedallionError as error:
        parser.error(str(error))
    print(*(f"Wrote {path}" for path in written), sep="\n")
    print("Read them, finish what is marked TODO, and run the test. Then the table is in `make dev`.")
    print(f"  .venv/bin/python -m pytest medallion_assets_tests/silver/{written[-1].name}")
    return 0


def draft(landing: str, source: str, keys: tuple[str, ...], sequence: str) -> Draft:
    """NoDraft, LandingError."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", source) or keyword.iskeyword(source):
        raise NoDraft(f"SOURCE={source!r} cannot be the name of a file: use small letters, digits and _")
    rows = sample(landing, source)
    names = list(rows[0])
    wanted = (sequence,) if sequence else tuple(name for name in _SEQUENCES if name in names)[:1]
    if unknown := [name for name in (*keys, *wanted) if name not in names]:
        raise NoDraft(f"{source} has no column {', '.join(unknown)}: it has {', '.join(names)}")
    return Draft(source, draft_columns(rows, keys), keys, wanted)


def sample(landing: str, source: str) -> Rows:
    """Rows of the newest day, as texts under the names that bronze gives them. NoDraft, LandingError."""
    days = list_days(landing, source)
    files = list_files(landing, source, days[-1:])
    if not files:
        raise NoDraft(f"{landing}/{source} has no landed file: land one as {source}/date=2026-01-31/a.csv")
    content = area_of(landing).content(files[-1].path)
    path = content.path
    reader = next(reader for end, reader in _READERS.items() if end in path)
    query = f"SELECT COLUMNS(*)::VARCHAR FROM {reader} LIMIT {SAMPLE}"
    try:
        with content.as_file() as file:
            found = connect().execute(query, [file])
            names = clean_names([column[0] for column in found.description or ()])
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    except (duckdb.Error, UnreadableFile) as error:
        raise NoDraft(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not rows:
        raise NoDraft(f"{path} has no rows: land a file that has some")
    return rows


def write(made: Draft) -> list[Path]:
    """The files that it wrote, formatted where ruff is installed. NoDraft where one is there."""
    texts = {
        _PACKAGE / "tables" / "bronze" / f"{made.name}.py": made.bronze(),
        _PACKAGE / "tables" / "silver" / f"{made.name}.py": made.silver(),
        _TESTS / "silver" / f"test_{made.name}.py": made.test(),
    }
    if there := [str(path) for path in texts if path.exists()]:
        raise NoDraft(f"{', '.join(there)} is there: nothing was written")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", *texts], check=False)
    return [*texts]


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",") if name.strip())


if __name__ == "__main__":
    sys.exit(main())
