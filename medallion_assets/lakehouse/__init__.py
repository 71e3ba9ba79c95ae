"""How the data is stored: Spark sessions, landed files, Delta tables, their ledgers. No Dagster."""
