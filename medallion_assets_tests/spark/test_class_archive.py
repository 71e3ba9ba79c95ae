"""Sessions map the archive of Java's classes that `make` prepares."""

from pathlib import Path

from pyspark.sql import SparkSession

from medallion_assets.lakehouse.spark import class_archive


def test_a_session_maps_the_archive(spark: SparkSession):
    """Java maps none that was made with another Java or other jars, and does not say so."""
    java = spark.sparkContext._gateway.proc.pid  # type: ignore[union-attr]
    assert str(class_archive.path()) in Path(f"/proc/{java}/maps").read_text()


def test_without_an_archive_there_is_no_option(monkeypatch, tmp_path: Path):
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    assert class_archive.to_read() == ""
