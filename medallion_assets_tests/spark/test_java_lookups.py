"""What Python asks the JVM."""

from py4j.protocol import REFLECTION_COMMAND_NAME
from pyspark.sql import functions as F
from pytest import MonkeyPatch


def test_a_function_is_looked_up_once(spark, monkeypatch: MonkeyPatch):
    client, sent = spark._jvm._gateway_client, list[str]()
    send = client.send_command
    monkeypatch.setattr(
        client,
        "send_command",
        lambda command, *more, **named: sent.append(command) or send(command, *more, **named),
    )

    def lookups() -> int:
        sent.clear()
        F.coalesce(F.upper(F.col("a")), F.lit("b")).cast("string")
        return sum(command.startswith(REFLECTION_COMMAND_NAME) for command in sent)

    lookups()
    assert lookups() == 0 < len(sent)
