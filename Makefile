# Tocsin. `make` alone lists what there is; every target installs what it needs first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
STAMP := $(VENV)/.installed
UV_VERSION := 0.13.9
SAMPLE := loadtest/data/online-retail-sample.csv.gz
SPEED ?= 3600
SHAPE ?= day
SCALE ?=
ARGS ?=
# Test files at once: they wait for engines more than they compute. Their order: tests/longest_first.py
WORKERS ?= 4
SPREAD := --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help install run test test-kafka check bench load lock clean

help: ## Show this
	@echo 'Tocsin: notifications for online shops. Make targets:'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'First time? `make run`, then open the page it names. Needs Python >= 3.11, nothing else.'

install: $(STAMP) ## Create .venv with the locked versions (the others do it by themselves)

run: $(STAMP) ## Start everything and replay a sample shop; Ctrl-C stops it (SPEED=3600: an hour a second)
	@exec $(BIN)/tocsin up --replay $(SAMPLE) --speed $(SPEED) --run "$$(date +%s)" $(ARGS)

test: $(STAMP) ## Run every test that needs no outside server (ARGS="-k name" chooses)
	$(BIN)/pytest -n $(WORKERS) $(SPREAD) $(ARGS)

test-kafka: $(STAMP) ## Run the tests that use Kafka on a real Apache Kafka (needs Maven and a JDK >= 17)
	WORKERS=$(WORKERS) $(BIN)/python -m tests.kafka.broker $(BIN)/pytest -n $(WORKERS) $(SPREAD) \
		-m integration -p tests.kafka.selection $(ARGS)

check: $(STAMP) ## Lint, format, types, import directions, docs, manifests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/architecture

bench: $(STAMP) ## Measure: router, broadcast, sockets, bare loop, end to end, OTP; prints and writes bench.json
	$(BIN)/python -m loadtest.bench $(ARGS)

load: $(STAMP) ## Ask for a day of 320,000 notifications and judge it (SHAPE=day SCALE=0.02; ARGS=--help tells)
	$(BIN)/python -m loadtest.load --shape $(SHAPE) $(if $(SCALE),--scale $(SCALE)) $(ARGS)

# uv.lock knows which index each file came from, which is the business of the machine that installs:
# it stays out of the repository, requirements.lock (versions and hashes only) is what counts.
lock: ## Resolve the newest versions anew (needs uv)
	uv lock --upgrade
	@{ echo '# Made by `make lock`: every dependency on every platform, with hashes. Names no index on purpose.'; \
	   uv export --frozen --all-groups --no-emit-project --no-header --no-annotate --quiet; } > requirements.lock
	@{ echo '# Made by `make lock`: what the image installs, a part of requirements.lock: no tools of development,'; \
	   echo '# and not the embedded ClickHouse (chdb-core), which is half a gigabyte.'; \
	   uv export --frozen --no-dev --prune chdb-core --no-emit-project --no-header --no-annotate --quiet; } > requirements-image.lock

clean: ## Remove what was made: .venv, data, caches
	rm -rf $(VENV) .tocsin load .ci-cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist bench*.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv installs in seconds what takes pip minutes, so it is fetched where it is missing; where even
# that fails, pip installs the same versions by the same hashes.
$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo 'make: $(PYTHON) is not here: install Python >= 3.11, or say where: make PYTHON=/path/to/python3.12'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Tocsin needs Python >= 3.11, $(PYTHON) is $$($(PYTHON) -V): install a newer one, or say where: make PYTHON=/path/to/python3.12"; exit 1; }
	@echo 'installing into $(VENV) (1.5 GB, once)'
	@$(PYTHON) -m venv $(VENV)
	@uv=$$(command -v uv || true); \
	if [ -z "$$uv" ] && $(PIP) install --quiet uv==$(UV_VERSION); then cp $(BIN)/uv $(VENV)/uv; uv=$(VENV)/uv; fi; \
	if [ -n "$$uv" ]; then \
		VIRTUAL_ENV=$(VENV) "$$uv" pip sync --quiet --require-hashes requirements.lock && \
		VIRTUAL_ENV=$(VENV) "$$uv" pip install --quiet --no-deps --editable .; \
	else \
		$(PIP) install --quiet --require-hashes -r requirements.lock && \
		$(PIP) install --quiet --no-deps --editable .; \
	fi
	@touch $(STAMP)
