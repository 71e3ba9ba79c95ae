"""What a run costs beside a bare Spark script, DuckDB and the limit. It imports the product; nothing imports it."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
