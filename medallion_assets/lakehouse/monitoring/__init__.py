"""What is wrong, late or waits to be read, told without Spark and without data files.

Nothing is repaired here. Whom to tell is decided in `orchestration/alerting`.
"""
