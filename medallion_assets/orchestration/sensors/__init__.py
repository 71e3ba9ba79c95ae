"""Sensors that request runs: one file a sensor, its decision in `requests.py`. They start no JVM and read no data file.

Sensors that alert people belong to `alerting`; how sources and tables are inspected belongs to `lakehouse/monitoring`.
"""
