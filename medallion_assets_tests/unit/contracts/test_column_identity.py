"""Which names are one column for Spark or Delta, as `unionByName` and Delta of Spark 4.2 were seen to decide."""

import pytest

from medallion_assets.contracts.column_identity import column_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order_id", "ORDER_ID"),
        ("\u0130ndirim", "indirim"),
        ("\u0131nd\u0131r\u0131m", "INDIRIM"),
        ("\u0130d", "i\u0307d"),
        ("\u212aelvin", "kelvin"),
        ("\u017fize", "SIZE"),
        ("stra\u00dfe", "STRA\u1e9eE"),
        ("\u00b5g", "\u03bcg"),
        ("\u03c2", "\u03c3"),
        ("\u1fb3", "\u1fbc"),
        ("\u01c6", "\u01c5"),
        ("\U00010400", "\U00010428"),
    ],
)
def test_these_are_one_column(one, other):
    assert column_key(one) == column_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("stra\u00dfe", "STRASSE"), ("a b", "a_b"), ("e", "\u00e9"), ("a", "a ")]
)
def test_these_are_two(one, other):
    assert column_key(one) != column_key(other)
