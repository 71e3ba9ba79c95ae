"""Topics that are followed continuously: a process with one warm session, beside the runs of Dagster.

It is no Dagster run: that would hold the slots of its tables for as long as it lives. It writes by the same steps as
runs do, one writer a table, and tells Dagster what it did. What a batch is belongs to
`lakehouse/sources/kafka_stream.py`.
"""
