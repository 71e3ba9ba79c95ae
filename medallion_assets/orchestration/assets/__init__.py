"""A table becomes a daily asset with its checks: what its step runs, and what it reports of each day.

How rows are computed and what a check asserts belongs to `lakehouse`; what starts a run to `jobs` and `sensors`.
"""
