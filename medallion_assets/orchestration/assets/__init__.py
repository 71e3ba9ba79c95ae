"""A table becomes a daily asset with its checks: what its step runs and what it reports of each day.

How rows are computed belongs to `lakehouse`; what asks for a run belongs to `jobs` and `sensors`.
"""
