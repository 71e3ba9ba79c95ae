"""Orders as they happen: how many a second bronze takes, and how long one is on its way to silver and to gold.

How many: batches of a topic in bronze, beside a bare Structured Streaming query that appends the same messages to a
Delta table; in turn, in one session. How long: `make stream` as a process, and a steady trickle of messages.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.stream_latency import Trickle, seconds_on_the_way
from benchmarks.stream_rate import messages_a_second
from medallion_assets.local_servers.kafka import kafka_broker


def main() -> int:
    parser = argparse.ArgumentParser(description="Time messages on their way from a broker to gold.")
    parser.add_argument("--messages", type=int, default=400_000, help="of each side and round")
    parser.add_argument("--rounds", type=int, default=4, help="the first one warms up and is not counted")
    parser.add_argument("--seconds", type=int, default=300, help="how long the trickle lasts")
    parser.add_argument("--rate", type=int, default=20, help="messages a second of the trickle")
    parser.add_argument("--every", default="10s", help="EVERY of the stream")
    parser.add_argument("--gold-every", default="1m", help="GOLD_EVERY of the stream")
    asked = parser.parse_args()
    with kafka_broker() as broker, tempfile.TemporaryDirectory() as folder:
        if asked.rounds:
            print(messages_a_second(broker, folder, asked.messages, asked.rounds), flush=True)
        if asked.seconds:
            trickle = Trickle(asked.rate, asked.seconds, asked.every, asked.gold_every)
            print(seconds_on_the_way(broker, Path(folder), trickle), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
