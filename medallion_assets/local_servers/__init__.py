"""Servers that a demo or a test starts for itself on 127.0.0.1: a folder and a port of their own, gone at the end.

What a pipeline needs of a source that somebody else runs is not here but in `lakehouse/sources`.
"""
