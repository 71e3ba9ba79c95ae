"""SQL on the lake: each Delta table is a view `layer.name`, read by DuckDB. No Spark, and no table is written.

`--query` runs one query; exit code 1 if it fails. Without it there is a prompt.
"""

import argparse
import sys
from cmd import Cmd
from contextlib import suppress

from medallion_assets.commands.text_table import table
from medallion_assets.lakehouse.monitoring.sql_views import attach, connect
from medallion_assets.lakehouse.monitoring.stored_tables import stored_tables
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.tables import find_tables

SHOWN = 1000
"""Rows that are printed of a result: a fact table has millions."""


class LakeSql:
    """Queries, each on the tables as they are when it starts."""

    def __init__(self, root: str):
        self.root = root
        self.connection = connect()

    def tables(self) -> list[str]:
        return stored_tables(self.root, find_tables().values())

    def run(self, query: str) -> bool:
        """Prints the result, or the error in one line. Returns whether the query succeeded."""
        for line in attach(self.connection, self.root, self.tables()):
            print(line, file=sys.stderr)
        try:
            done = self.connection.execute(query)
            names = [column[0] for column in done.description]
            rows = done.fetchmany(SHOWN + 1)
        except Exception as error:  # DuckDB's, or Arrow's for a file that is gone
            print(" ".join(str(error).partition("\n\nLINE ")[0].split()), file=sys.stderr)
            return False
        print(rows[0][1] if names[0] == "explain_key" else table(names, rows[:SHOWN]))
        if len(rows) > SHOWN:
            print(f"The first {SHOWN} rows. All of them: COPY (select ...) TO 'file.csv'", file=sys.stderr)
        return True


class Prompt(Cmd):
    """Reads lines until one ends with a semicolon, and runs them as one query."""

    prompt = "sql> "

    def __init__(self, lake: LakeSql):
        super().__init__()
        self.lake = lake
        self.lines: list[str] = []

    def onecmd(self, line: str) -> bool:
        """Returns whether to leave the prompt."""
        word = line.strip()
        if word == "EOF" or (word == ".quit" and not self.lines):
            return True
        if word == ".tables" and not self.lines:
            print(*(f"  {key.replace('/', '.')}" for key in self.lake.tables()), sep="\n")
        elif word:
            self.lines.append(line)
        if word.endswith(";"):
            self.lake.run("\n".join(self.lines))
            self.lines.clear()
        self.prompt = "...> " if self.lines else "sql> "
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description="SQL on the lake's tables, by DuckDB.")
    parser.add_argument("--query", default="", help="one query; without it there is a prompt")
    query = parser.parse_args().query
    lake = LakeSql(LakehouseResource().lake_root)
    known = lake.tables()
    if not known:
        print(f"There is no table in {lake.root} yet: `make demo` makes some.", file=sys.stderr)
    if query:
        return 0 if lake.run(query) else 1
    print(f"{len(known)} tables. A query ends with `;`. `.tables` lists the tables, `.quit` leaves.")
    with suppress(KeyboardInterrupt):
        Prompt(lake).cmdloop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
