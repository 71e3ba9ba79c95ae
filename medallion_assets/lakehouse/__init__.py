"""How the data is read and written, as the stages of a row's way: landing and sources, bronze, silver, gold.

Below them are `spark`, `storage` and `control`, beside them `maintenance` and `monitoring`. No Dagster here: what a
run or a sensor is belongs to `orchestration`, what a table is to `contracts`.
"""
