"""Alerts to people about what failed, is late or has stopped: incidents, channels, and the sensors that look for them.

What requests runs belongs to `sensors`; which tables are late is decided in `lakehouse/monitoring`.
"""
