"""All errors that are raised on purpose have one base, and say themselves whether another attempt may succeed."""

import importlib
import pkgutil

import dagster as dg

import medallion_assets
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.landing.schema_registry import RegistryUnreachable
from medallion_assets.lakehouse.landing.store import LandingUnreachable
from medallion_assets.lakehouse.silver.merge.commit import ConcurrentChange
from medallion_assets.lakehouse.sources.base import SourceUnreachable
from medallion_assets.lakehouse.sources.kafka_stream import StreamIsAhead
from medallion_assets.lakehouse.spark.session import ExecutorsMissing
from medallion_assets.lakehouse.storage.leases import LeaseLost, TableBusy
from medallion_assets.lakehouse.storage.stores import StoreUnreachable


def own_errors() -> set[type[BaseException]]:
    found: set[type[BaseException]] = set()
    for info in pkgutil.walk_packages(medallion_assets.__path__, "medallion_assets."):
        for thing in vars(importlib.import_module(info.name)).values():
            if isinstance(thing, type) and issubclass(thing, BaseException) and thing.__module__ == info.name:
                found.add(thing)
    return found


def test_every_error_of_ours_has_the_one_base_or_is_dagsters_failure():
    assert [error for error in own_errors() if not issubclass(error, MedallionError | dg.Failure)] == []


def test_a_commit_that_met_another_one_and_what_is_away_are_worth_another_attempt():
    assert {error for error in own_errors() if getattr(error, "retryable", False)} == {
        ConcurrentChange,
        ExecutorsMissing,
        LandingUnreachable,
        LeaseLost,
        RegistryUnreachable,
        SourceUnreachable,
        StoreUnreachable,
        StreamIsAhead,
        TableBusy,
    }
