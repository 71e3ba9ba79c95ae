"""How each file format is recognized and read: one file a format, `<name>_format.py`, which `detection.py` finds.

What all files share (listing, repairs, reports) belongs to `landing`.
"""
