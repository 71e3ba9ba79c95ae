"""CSV files with line ends, quotes, blanks, separators and lines above the header at random, as Python reads them.

All files are read together, in one Spark run. More files, with other seeds, in the long tests.
"""

import csv
import gzip
import io
from random import Random

import pytest

from medallion_assets_tests.support.landing_files import Landed

COLUMNS = ("id", "name", "note")
LINE_ENDS = ("\n", "\r\n", "\r")
PIECES = ("a", "7", " ", "ü", '"', ",", ";", "\t", "|", "#", "\n", "\r\n", "\r", "'", "\\", "sep=", "x y")
ABOVE = ("", "   ", ",,", "# exported, by hand", "#")


def random_csv(random: Random) -> tuple[bytes, list[tuple[str | None, ...]]]:
    """A file, and its records as they are to land."""
    separator = random.choice(",,,;\t|")
    ends = random.choice([[end] for end in LINE_ENDS] + [list(LINE_ENDS), ["\n", "\r\n"], ["\r\n", "\n"]])
    rows = [tuple(random_value(random) for _ in COLUMNS) for _ in range(random.randint(1, 8))]
    above = random.choices(ABOVE, k=random.choice([0, 0, 0, 1, 3]))
    above += [f"sep={separator}"] if random.random() < 0.1 else []
    lines = [*above, separator.join(COLUMNS)]
    lines += [separator.join(written(random, value, separator) for value in row) for row in rows]
    lines = [line for line in lines for line in ([line, ""] if random.random() < 0.05 else [line])]
    text = "".join(line + random.choice(ends) for line in lines)
    text = text.rstrip("\r\n") if random.random() < 0.2 and rows[-1][-1] else text
    assert read_by_python(text, separator)[-len(rows) :] == [[value or "" for value in row] for row in rows]
    first_end = min(LINE_ENDS[1:] + LINE_ENDS[:1], key=lambda end: (text + end).find(end))
    encoding = random.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16"])
    return text.encode(encoding), [
        (*(value and value.replace(first_end, "\n") for value in row), None) for row in rows
    ]


def random_value(random: Random) -> str | None:
    return random.choice([None, "", "".join(random.choices(PIECES, k=random.randint(1, 4)))])


def written(random: Random, value: str | None, separator: str) -> str:
    if value is None:
        return ""
    needs_quotes = not value or any(character in value for character in f'{separator}"\r\n')
    return '"' + value.replace('"', '""') + '"' if needs_quotes or random.random() < 0.3 else value


def read_by_python(text: str, separator: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True) if row]


def assert_all_land_as_python_reads_them(spark, root, random: Random, files: int) -> None:
    made = {f"{i}.csv": random_csv(random) for i in range(files)}
    made |= {f"{i}.csv.gz": random_csv(random) for i in range(files, files + files // 10)}
    zipped = {
        name: gzip.compress(content) if name.endswith(".gz") else content
        for name, (content, _) in made.items()
    }
    landed = Landed(spark, root, zipped, required=COLUMNS)
    for name, (content, records) in made.items():
        report = landed.report(name)
        assert (report.status, report.message, landed.records(name)) == ("loaded", "", records), content


def test_random_files_land_as_python_reads_them(spark, tmp_path):
    assert_all_land_as_python_reads_them(spark, tmp_path, Random(14), 20)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
def test_many_random_files_land_as_python_reads_them(spark, tmp_path, seed):
    assert_all_land_as_python_reads_them(spark, tmp_path, Random(seed), 100)
