"""A pair of tables for each tool that sends change files: copy the one that you need, and name its source.

They are not among the example tables that `make dev EXAMPLES=1` shows, since nothing lands for them:
`find_tables("medallion_assets.tables.examples.cdc")` loads them.
"""
