"""What the figures were measured with: a table of seconds says nothing without it."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from medallion_assets.lakehouse.spark.java import java_home

PACKAGES = ("pyspark", "delta-spark", "dagster", "deltalake", "duckdb", "pyarrow", "tpchgen-cli")


def machine() -> dict[str, str | int | float]:
    """Cores, memory in GB, and the name of the processor."""
    processor = _value_of("/proc/cpuinfo", "model name") or platform.processor()
    memory = int((_value_of("/proc/meminfo", "MemTotal") or "0 kB").split()[0])
    return {
        "cores": os.cpu_count() or 0,
        "memory_gb": round(memory / 2**20, 1),
        "processor": processor,
        "load": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    java = subprocess.run([f"{java_home()}/bin/java", "-version"], capture_output=True, text=True)
    known = {"python": platform.python_version(), "java": java.stderr.splitlines()[0]}
    return known | {name: version(name) for name in PACKAGES}


def _value_of(file: str, name: str) -> str | None:
    for line in Path(file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None
