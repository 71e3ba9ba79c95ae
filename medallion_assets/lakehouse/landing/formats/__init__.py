"""How each file format is recognized and read: one file a format, entered in `detection.py`.

What all files share (listing, repairs, reports) belongs to `landing`.
"""
