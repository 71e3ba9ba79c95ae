"""A retail lakehouse: bronze, silver and gold Delta tables as daily Dagster assets on Spark."""
