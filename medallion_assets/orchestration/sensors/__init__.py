"""Sensors that ask for runs: one file a sensor, its decision in `requests.py`. No JVM and no data file is touched.

Sensors that tell people something belong to `alerting`; what is looked at belongs to `lakehouse/monitoring`.
"""
