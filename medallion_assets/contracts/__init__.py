"""The words that all rooms speak: tables, rules and the decisions that need neither Spark nor Dagster."""
