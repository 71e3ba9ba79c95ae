"""The jobs that somebody or a schedule starts: a day through all layers, all checks, one table, daily maintenance.

What a step does belongs to `assets` and `lakehouse`; what requests runs by itself belongs to `sensors`.
"""
