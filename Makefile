# `make run` and `make test` need nothing but this checkout: they install what is missing first.
SHELL := /bin/bash
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py

# Where this is set, as in many containers, every start compiles all of the source again: seconds each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-tests run test lint check bench lock
.NOTPARALLEL:

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Install what Plumbline needs, into .venv
	@script/setup

setup-tests:
	@script/setup --tests

run: setup ## Run the whole product (PORT=8000); Ctrl-C stops it
	@exec $(MANAGE) run $(if $(PORT),--port $(PORT))

lint: setup ## Style, format, types, and which package may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

# The database of the tests, so that the developer's own is left alone.
check: export PLUMBLINE_DATA_DIR = $(CURDIR)/.data/test
check: export PLUMBLINE_DATABASE_FSYNC = off
check: setup ## Are the migrations complete, and the settings safe for production?
	$(MANAGE) check
	$(MANAGE) makemigrations --check --dry-run
	script/check-deploy

test: setup-tests lint check ## Everything that continuous integration runs
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder  # on two cores: one in three waits

bench: setup ## Print how fast the product is on this machine; see docs/benchmarks.md
	$(MANAGE) benchmark

lock: setup ## Resolve the dependencies anew into requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev --upgrade --generate-hashes --no-header --quiet \
		--python-version 3.11 --output-file requirements.lock
