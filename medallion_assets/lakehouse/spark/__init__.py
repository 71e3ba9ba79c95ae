"""The Spark session, its Java and jars, and the expressions and errors that every stage needs.

Nothing here knows of the lake or of a table; the system's Python runs `java.py`, so nothing is imported here.
"""
