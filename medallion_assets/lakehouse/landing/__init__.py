"""Files as they land: which there are, and their records as text, whatever is wrong with some of them.

What becomes of the records belongs to `bronze`; systems that are followed instead of landed belong to `sources`.
"""
