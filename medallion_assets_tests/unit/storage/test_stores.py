"""What a store refuses is told by what to do; what may pass is told apart."""

from collections.abc import Iterator

import pytest

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.lakehouse.landing.area import LandingError
from medallion_assets.lakehouse.landing.listing import list_days
from medallion_assets.lakehouse.monitoring.preflight import PreCheckError, before_run
from medallion_assets.lakehouse.monitoring.retryable_errors import is_retryable
from medallion_assets.lakehouse.spark.master import Master
from medallion_assets.lakehouse.storage import stores
from medallion_assets.tables import find_tables
from medallion_assets_tests.support.stub_store import StubStore, stub_store

LAKE, LANDING = "s3://shop/lake", "s3://shop/landing"
ORDERS = find_tables()["bronze/orders"]
BUCKET = "its bucket is not there: create it, or correct the URL"
REFUSED = "the store refuses these credentials: correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
NONE = "no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


@pytest.fixture
def store() -> Iterator[StubStore]:
    with stub_store() as running:
        yield running


@pytest.mark.parametrize(
    ("status", "code", "problem"),
    [
        (404, "NoSuchBucket", BUCKET),
        (403, "AccessDenied", REFUSED),
        (403, "SignatureDoesNotMatch", REFUSED),
        (400, "ExpiredToken", REFUSED),
        (400, "Odd", "the store does not do it ("),
    ],
)
def test_a_refusal_is_told_by_what_to_do(store: StubStore, status: int, code: str, problem: str):
    store.refuse(status, code)
    assert isinstance(ORDERS, BronzeTable)
    with pytest.raises(PreCheckError) as refused:
        before_run(LAKE, LANDING, ORDERS, Master({}))
    lake, source = str(refused.value).splitlines()
    assert lake.startswith(f"lake, {LAKE}: {LAKE}: {problem}")
    assert source.startswith(f"source of bronze/orders, {LANDING}/orders: {LANDING}/orders: {problem}")
    assert not is_retryable(refused.value)


def test_credentials_that_are_nowhere_are_named(store: StubStore, monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    store.refuse(404, "NoRole")
    with pytest.raises(LandingError, match=NONE) as refused:
        list_days(LANDING, "orders")
    assert not is_retryable(refused.value)


def test_a_lake_that_is_empty_is_one_that_can_begin(store: StubStore):
    assert stores.list_folder(LAKE) == ([], []) and stores.list_below(LAKE) == []
    with pytest.raises(PreCheckError) as refused:
        before_run(LAKE, LANDING, ORDERS, Master({}))
    assert str(refused.value) == (
        f"source of bronze/orders, {LANDING}/orders: Nothing lies at {LANDING}/orders: land a file there, "
        "or correct MEDALLION_LANDING"
    )
