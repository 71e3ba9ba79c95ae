"""The repository with an example of each pattern beside its own tables: `make dev EXAMPLES=1` shows them."""

from medallion_assets.definitions import repository
from medallion_assets.tables import EXAMPLES, find_tables

defs = repository(find_tables(EXAMPLES))
