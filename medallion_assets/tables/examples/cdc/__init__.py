"""Tables for each tool that sends changes: copy those that you need, and name their source.

They are not among the example tables that `make dev EXAMPLES=1` shows, since nothing lands for them:
`find_tables("medallion_assets.tables.examples.cdc")` loads them. `make cdc-demo` runs `debezium_orders` and
`debezium_orders_avro`.
"""
