"""What is set of Spark, and what a session starts with: where it runs, how many cores, whose jars."""

from pathlib import Path

import pytest

from medallion_assets.lakehouse.spark import object_store
from medallion_assets.lakehouse.spark.given_settings import PropertiesError, given_settings, read_properties
from medallion_assets.lakehouse.spark.master import Master
from medallion_assets.lakehouse.spark.session import spark_config
from medallion_assets.orchestration.resources import SparkResource

SHUFFLE, SNAPSHOT = "spark.sql.shuffle.partitions", "spark.databricks.delta.snapshotPartitions"


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "spark.conf"
    monkeypatch.setenv("MEDALLION_SPARK_CONF", str(file))
    return file


def test_a_file_of_properties_is_read_as_spark_reads_it(conf: Path):
    conf.write_text(
        "# of the cluster\n! too\n\nspark.master  yarn\n  spark.a=b=c d \n"
        "spark.url: s3a://x\nspark.jars a.jar,\\\n   b.jar\n"
    )
    assert read_properties(str(conf)) == {
        "spark.master": "yarn",
        "spark.a": "b=c d",
        "spark.url": "s3a://x",
        "spark.jars": "a.jar,b.jar",
    }


@pytest.mark.parametrize("line", ["executor.memory 2g", "spark.executor.memory"])
def test_a_line_that_is_no_setting_is_named(conf: Path, line: str):
    conf.write_text(f"spark.a b\n{line}\n")
    with pytest.raises(PropertiesError, match=line):
        read_properties(str(conf))


def test_the_variable_goes_over_the_file_and_the_resource_over_both(
    conf: Path, monkeypatch: pytest.MonkeyPatch
):
    conf.write_text("spark.master yarn\nspark.executor.memory 2g\n")
    assert given_settings()["spark.master"] == "yarn"
    monkeypatch.setenv("MEDALLION_SPARK", "sc://host")
    assert given_settings() == {"spark.remote": "sc://host", "spark.executor.memory": "2g"}
    of_run = SparkResource(config={"spark.master": "local[3]", "spark.executor.memory": "1g"})
    assert of_run.master.settings == {"spark.master": "local[3]", "spark.executor.memory": "1g"}


@pytest.mark.parametrize(
    ("settings", "cores"),
    [
        ({"spark.master": "local"}, 1),
        ({"spark.master": "local[3]"}, 3),
        ({"spark.master": "spark://h:1", "spark.cores.max": "40"}, 40),
        ({"spark.master": "yarn", "spark.executor.instances": "5", "spark.executor.cores": "4"}, 20),
        ({"spark.master": "spark://h:1"}, None),
    ],
)
def test_sizes_follow_the_cores_where_they_are_known(settings: dict[str, str], cores: int | None):
    assert Master(settings).cores == cores
    config = spark_config(settings)
    assert (config.get(SHUFFLE), config.get(SNAPSHOT)) == (
        (str(cores), str(cores)) if cores else (None, None)
    )
    assert spark_config(settings | {SHUFFLE: "7"})[SHUFFLE] == "7"


def test_what_is_a_list_is_added_to_ours():
    given = {
        "spark.master": "yarn",
        "spark.jars": "/theirs.jar",
        "spark.sql.extensions": "their.Extension",
        "spark.driver.extraJavaOptions": "-Dtheirs=1",
    }
    config = spark_config(given)
    assert "delta-spark" in config["spark.jars"] and config["spark.jars"].endswith(",/theirs.jar")
    assert config["spark.sql.extensions"] == "io.delta.sql.DeltaSparkSessionExtension,their.Extension"
    assert "log4j2.properties" in config["spark.driver.extraJavaOptions"]
    assert config["spark.driver.extraJavaOptions"].endswith(" -Dtheirs=1")


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [("local[2]", True), ("spark://localhost:7077", True), ("spark://h:7077", False), ("yarn", False)],
)
def test_only_where_all_is_on_this_machine_the_driver_listens_on_loopback_alone(url: str, is_ours: bool):
    assert (spark_config({"spark.master": url}).get("spark.driver.bindAddress") == "127.0.0.1") is is_ours


def test_the_parameters_of_a_connect_server_are_not_shown():
    master = Master({"spark.remote": "sc://host/;token=secret"})
    assert master.shown == "sc://host" and master.addresses == [("host", 15002)]


def test_a_store_is_said_once_by_the_usual_variables_and_no_setting_holds_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    jars = tmp_path / "jars-s3"
    jars.mkdir()
    for pattern in object_store.JARS:
        (jars / pattern.replace("*", "1")).touch()
    monkeypatch.setattr(object_store, "cache", lambda: tmp_path / "jars")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
    }.items():
        monkeypatch.setenv(name, value)
    config = spark_config({}, ["s3://bucket/lake", "/landing"])
    assert {name: value for name, value in config.items() if name.startswith("spark.hadoop.")} == {
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.s3a.S3A",
        "spark.hadoop.fs.s3a.endpoint": "http://127.0.0.1:9000",
        "spark.hadoop.fs.s3a.endpoint.region": "eu-west-1",
        "spark.hadoop.fs.s3a.path.style.access": "true",
    }
    assert f"{jars}/org.apache.hadoop_hadoop-aws-1.jar" in config["spark.driver.extraClassPath"].split(":")
    assert "secret" not in config.values()


def test_a_lake_in_a_folder_needs_no_connector():
    config = spark_config({}, ["/lake", "/landing"])
    assert not [name for name in config if name.startswith("spark.hadoop.")]
    assert "hadoop-aws" not in config["spark.driver.extraClassPath"]
