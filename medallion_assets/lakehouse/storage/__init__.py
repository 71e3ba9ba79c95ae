"""Delta tables by key: read, append, replace, lock, and what a transaction log tells.

What a table's rows mean belongs to its stage; what was done to it is kept in `control`.
"""
