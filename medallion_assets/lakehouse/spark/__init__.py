"""The Spark session, its Java and jars, and the expressions and errors that every stage needs.

Nothing here knows the lake or a table. `make` runs `java.py` with the system's Python, so nothing is imported here.
"""
