"""What a client of Kafka is told, for both of them: librdkafka's names in one variable, the Java client's for Spark."""

import json

import pytest

from medallion_assets.contracts import FollowTopic
from medallion_assets.lakehouse.sources.base import SourceError
from medallion_assets.lakehouse.sources.kafka_client import spark_options

EVENT_HUBS = {
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "PLAIN",
    "sasl.username": "$ConnectionString",
    "sasl.password": 'Endpoint=sb://x/;SharedAccessKey=a"b\\c=',
    "ssl.ca.location": "/etc/ssl/ca.pem",
}
TOPIC = FollowTopic("orders", servers="$BROKERS", settings="$KAFKA")


def options(monkeypatch: pytest.MonkeyPatch, settings: str) -> dict[str, str]:
    monkeypatch.setenv("BROKERS", "x.servicebus.windows.net:9093")
    monkeypatch.setenv("KAFKA", settings)
    return spark_options(TOPIC)


def test_event_hubs_for_spark(monkeypatch: pytest.MonkeyPatch):
    assert options(monkeypatch, json.dumps(EVENT_HUBS)) == {
        "kafka.bootstrap.servers": "x.servicebus.windows.net:9093",
        "kafka.isolation.level": "read_committed",
        "kafka.default.api.timeout.ms": "10000",
        "kafka.request.timeout.ms": "10000",
        "kafka.fetch.max.wait.ms": "20",
        "includeHeaders": "true",
        "failOnDataLoss": "true",
        "kafkaConsumer.pollTimeoutMs": "60000",
        "kafka.security.protocol": "SASL_SSL",
        "kafka.sasl.mechanism": "PLAIN",
        "kafka.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required "
        'username="$ConnectionString" password="Endpoint=sb://x/;SharedAccessKey=a\\"b\\\\c=";',
        "kafka.ssl.truststore.type": "PEM",
        "kafka.ssl.truststore.location": "/etc/ssl/ca.pem",
    }


@pytest.mark.parametrize(
    "settings, message",
    [
        ("canary", "KAFKA must be a JSON object of security.protocol, sasl.mechanism"),
        ('["canary"]', "KAFKA must be a JSON object"),
        ('{"sasl.passwort": "canary"}', "KAFKA has sasl.passwort; write no more than security.protocol"),
        ('{"sasl.mechanism": "GSSAPI", "sasl.password": "canary"}', "'GSSAPI'; write one of PLAIN, SCRAM"),
        (" ", "KAFKA is not set, which its contract names as `settings`"),
    ],
)
def test_settings_that_cannot_be_used_are_named_without_their_values(
    monkeypatch: pytest.MonkeyPatch, settings: str, message: str
):
    with pytest.raises(SourceError) as error:
        options(monkeypatch, settings)
    assert message in str(error.value) and "canary" not in str(error.value)
