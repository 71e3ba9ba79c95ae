"""What is wrong, late or waits to be read, found without Spark and without data files.

Nothing is repaired here. Who is told is decided in `orchestration/alerting`.
"""
