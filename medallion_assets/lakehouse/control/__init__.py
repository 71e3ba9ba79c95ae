"""The control tables, kept by delta-rs: what was landed, merged, refreshed, purged, run and checked.

Each is written after the data that it speaks of. What follows from them is decided in the stages, not here.
"""
