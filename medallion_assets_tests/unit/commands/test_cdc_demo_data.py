"""How `make cdc-demo` tells the rows of the database from those of the lake."""

import pytest

from medallion_assets.commands.cdc_demo_data import Rows, by_key, difference

THREE: Rows = {1: ("a",), 2: ("b",), 3: ("c",)}


@pytest.mark.parametrize(
    "found, expected",
    [
        (THREE, ""),
        ({}, "3 missing (such as 1)"),
        ({**THREE, 4: ("d",)}, "1 too many (such as 4)"),
        ({1: ("a",), 2: ("x",), 3: (None,)}, "2 different (such as 2)"),
        (
            {2: ("x",), 3: ("c",), 9: ("d",)},
            "1 missing (such as 1), 1 too many (such as 9), 1 different (such as 2)",
        ),
    ],
)
def test_rows_are_told_apart_in_words(found: Rows, expected: str):
    assert difference(found, THREE) == expected


def test_the_first_column_is_the_key():
    assert by_key([(1, "a", None), (2, "b", 3)]) == {1: ("a", None), 2: ("b", 3)}
