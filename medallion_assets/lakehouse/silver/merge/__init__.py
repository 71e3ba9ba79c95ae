"""Which change of a key wins, what became of every row, and the one commit that writes it.

Nothing here reads ledgers or bronze, or decides what is merged: that is the step's, in `silver/refresh.py`.
"""
