"""What a Kafka client needs to know, and what the brokers say of a topic: by librdkafka, without a JVM.

The settings of a contract are one JSON object in an environment variable, in librdkafka's names: `security.protocol`,
`sasl.mechanism` (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512), `sasl.username`, `sasl.password`, `ssl.ca.location` (a PEM
file). For Azure Event Hubs: SASL_SSL, PLAIN, `$ConnectionString`, and the connection string.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # pyright: ignore[reportPrivateImportUsage]

from medallion_assets.contracts.bronze import EARLIEST, FollowTopic
from medallion_assets.contracts.days import as_moment
from medallion_assets.contracts.named_value import named_value
from medallion_assets.lakehouse.sources.base import SourceError, SourceUnreachable

SECONDS = 10
"""How long brokers may take to answer one question."""
SASL_LOGINS = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}
_LOGIN_REFUSED = (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED)
SETTINGS = ("security.protocol", "sasl.mechanism", "sasl.username", "sasl.password", "ssl.ca.location")

Offsets = Mapping[int, int]
"""Partition -> the offset of the next message that counts."""


@dataclass(frozen=True)
class TopicState:
    """A topic as the brokers have it now.

    topic_id: another topic of its name has another one
    begins, ends: of each partition the first offset that is kept, and the one after the last that may be read: with
    `committed` that is where the first open transaction begins
    """

    topic_id: str
    begins: Offsets
    ends: Offsets


def shown(source: FollowTopic) -> str:
    """The topic and its servers; every message begins with it. No password."""
    return f"topic {source.topic} at {_given(source, 'servers', source.servers)}"


def topic_state(source: FollowTopic) -> TopicState:
    """SourceError where there is no such topic, or it may not be read; SourceUnreachable where no broker answers."""
    with _client(source) as client:
        described = client.describe_topics(TopicCollection([source.topic]), request_timeout=SECONDS)
        topic = described[source.topic].result()
        partitions = [partition.id for partition in topic.partitions]
        level = IsolationLevel.READ_COMMITTED if source.committed else IsolationLevel.READ_UNCOMMITTED
        begins = _offsets(client, source, partitions, cast(OffsetSpec, OffsetSpec.earliest()), level)
        ends = _offsets(client, source, partitions, cast(OffsetSpec, OffsetSpec.latest()), level)
    return TopicState(str(topic.topic_id), begins, ends)


def begin_offsets(source: FollowTopic, state: TopicState) -> Offsets:
    """Where a topic is read from that was never read."""
    if source.begin == EARLIEST:
        return state.begins
    asked = OffsetSpec.for_timestamp(int(as_moment(source.begin).timestamp() * 1000))
    level = IsolationLevel.READ_UNCOMMITTED
    with _client(source) as client:
        found = _offsets(client, source, list(state.ends), asked, level)
    # -1 where no message is as young; a message of an open transaction comes after the end.
    return {p: state.ends[p] if offset < 0 else min(offset, state.ends[p]) for p, offset in found.items()}


@contextmanager
def _client(source: FollowTopic) -> Iterator[AdminClient]:
    """SourceError for what the brokers refuse within the block. A refused login they tell beside the answers."""
    told: list[KafkaError] = []
    settings: dict[str, Any] = {**_client_settings(source), "error_cb": told.append}
    client = AdminClient(settings)
    try:
        yield client
    except KafkaException as error:
        client.poll(0)
        refused = [one for one in told if one.code() in _LOGIN_REFUSED]
        raise _refusal(source, refused[-1] if refused else error.args[0]) from None


def _offsets(
    client: AdminClient,
    source: FollowTopic,
    partitions: list[int],
    asked: OffsetSpec,
    level: IsolationLevel,
) -> dict[int, int]:
    wanted = {TopicPartition(source.topic, partition): asked for partition in partitions}
    answers = client.list_offsets(wanted, isolation_level=level, request_timeout=SECONDS)
    return {place.partition: answer.result().offset for place, answer in sorted(answers.items())}


def spark_options(source: FollowTopic) -> dict[str, str]:
    """The same settings in the names of the Java client, for Spark's reader."""
    given = _settings(source)
    options = {
        "kafka.bootstrap.servers": _given(source, "servers", source.servers),
        "kafka.isolation.level": "read_committed" if source.committed else "read_uncommitted",
        "kafka.default.api.timeout.ms": f"{SECONDS}000",
        "kafka.request.timeout.ms": f"{SECONDS}000",
        # A consumer that has read to the end waits for more; before it reads on, half a second a partition was over.
        "kafka.fetch.max.wait.ms": "20",
        "includeHeaders": "true",
        "failOnDataLoss": "true",
        "kafkaConsumer.pollTimeoutMs": "60000",
    }
    options |= {
        f"kafka.{name}": given[name] for name in ("security.protocol", "sasl.mechanism") if name in given
    }
    if login := SASL_LOGINS.get(given.get("sasl.mechanism", "")):
        user, password = (_quoted(given.get(f"sasl.{name}", "")) for name in ("username", "password"))
        options["kafka.sasl.jaas.config"] = f"{login} required username={user} password={password};"
    if "ssl.ca.location" in given:
        options |= {
            "kafka.ssl.truststore.type": "PEM",
            "kafka.ssl.truststore.location": given["ssl.ca.location"],
        }
    return options


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _client_settings(source: FollowTopic) -> dict[str, Any]:
    return {
        "bootstrap.servers": _given(source, "servers", source.servers),
        "log_level": 0,  # what went wrong is in the error
        "client.id": "medallion_assets",
        **_settings(source),
    }


def _settings(source: FollowTopic) -> dict[str, str]:
    """SourceError for what is no JSON object of known settings; the message does not quote it: it has a password."""
    if not source.settings:
        return {}
    name = source.settings.removeprefix("$")
    try:
        given = json.loads(_given(source, "settings", source.settings))
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise SourceError(f"topic {source.topic}: {name} must be a JSON object of {', '.join(SETTINGS)}")
    settings = {str(key): str(value) for key, value in given.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if others := sorted(settings.keys() - {*SETTINGS}):
        raise SourceError(
            f"topic {source.topic}: {name} has {', '.join(others)}; write no more than {', '.join(SETTINGS)}"
        )
    mechanism = settings.get("sasl.mechanism")
    if mechanism is not None and mechanism not in SASL_LOGINS:
        raise SourceError(
            f"topic {source.topic}: sasl.mechanism in {name} is {mechanism!r}; write one of {', '.join(SASL_LOGINS)}"
        )
    return settings


def _given(source: FollowTopic, field: str, value: str) -> str:
    """The value, or what the variable that it names holds."""
    found = named_value(value)
    if not found:
        raise SourceError(
            f"topic {source.topic}: {value[1:]} is not set, which its contract names as `{field}`"
        )
    return found


def _refusal(source: FollowTopic, error: KafkaError) -> SourceError:
    """What the brokers refused, and how to fix it."""
    code = error.code()
    if code == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return SourceError(
            f"{shown(source)}: there is no such topic: create it, or correct `topic` in the contract"
        )
    if code in (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED):
        return SourceError(f"{shown(source)}: {error.str()}: grant this user Describe and Read of the topic")
    if code in _LOGIN_REFUSED:
        return SourceError(
            f"{shown(source)}: {error.str()}: correct user and password in {source.settings[1:]}"
        )
    return SourceUnreachable(
        f"{shown(source)}: no broker answers within {SECONDS} s ({error.str()}): start it, or correct `servers`"
        + (f" and {source.settings[1:]}" if source.settings else "")
    )
