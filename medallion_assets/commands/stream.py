"""Follows topics as they grow, until it is stopped: bronze and silver by each batch, gold at a slower beat.

Exit codes: 0 stopped by SIGTERM or Ctrl-C, after the batch at hand; 1 a thread of it ended by itself; 2 nothing to
follow, or a wrong setting; 75 a newer contract was deployed: start it again.
"""

import argparse
import logging
import re
import signal
import sys
import threading

from medallion_assets.commands.job_runner import dagster_instance
from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.errors import MedallionError
from medallion_assets.orchestration.streaming.process import follow_topics, topics_of
from medallion_assets.tables import CDC_EXAMPLES, EXAMPLES, find_tables

WRONG = 2
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def main() -> int:
    parser = argparse.ArgumentParser(description="Follow topics as they grow, until it is stopped.")
    parser.add_argument(
        "--tables", default="", help="bronze tables, such as order_events (all that follow a topic)"
    )
    parser.add_argument("--every", type=seconds, default="10s", help="between two batches of a topic (10s)")
    parser.add_argument("--gold-every", type=seconds, default="1m", help="between two refreshes of gold (1m)")
    parser.add_argument("--examples", action="store_true", help="with the example tables")
    parser.add_argument("--cdc-examples", action="store_true", help="with the examples of CDC tools")
    given = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("medallion_assets").setLevel(logging.INFO)
    stop = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stop.set())
    chosen_by = {EXAMPLES: given.examples, CDC_EXAMPLES: given.cdc_examples}
    tables = find_tables(*[package for package, is_wanted in chosen_by.items() if is_wanted])
    try:
        topics = chosen(topics_of(tables), given.tables)
        with dagster_instance() as instance:
            return follow_topics(tables, topics, instance, stop, given.every, given.gold_every)
    except MedallionError as error:
        print(error, file=sys.stderr)
        return WRONG


class UnknownTopic(MedallionError):
    """No such table follows a topic."""


def chosen(topics: dict[str, BronzeTable], names: str) -> list[BronzeTable]:
    """Those that are named, with commas and with or without `bronze/`; all where none is. UnknownTopic."""
    there = ", ".join(topics) or "none: declare one, see docs/streaming.md"
    wanted = [f"bronze/{name.strip().removeprefix('bronze/')}" for name in names.split(",") if name.strip()]
    unknown = [key for key in wanted if key not in topics]
    if unknown or not topics:
        raise UnknownTopic(f"{', '.join(unknown) or 'TABLES'}: the tables that follow a topic are {there}")
    return [topic for key, topic in topics.items() if not wanted or key in wanted]


def seconds(text: str) -> float:
    """Of a duration such as 500ms, 10s, 1m or 2h."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if not found or float(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r}: write a duration such as 500ms, 10s or 1m")
    return float(found[1]) * _UNITS[found[2]]


if __name__ == "__main__":
    sys.exit(main())
