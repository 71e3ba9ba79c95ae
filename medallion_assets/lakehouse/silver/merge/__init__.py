"""Which change of a key wins, what became of every row, and the one commit that writes it.

Nothing here knows of days, files or ledgers: that is the step's, in `silver/refresh.py`.
"""
