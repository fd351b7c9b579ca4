# Two targets do all of their own set-up: `make run` and `make test`.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One worker more than cores: many tests wait for a process, a database or a clock.
WORKERS := $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)
# A worker that is done takes tests from another. Compiled files are kept also where the environment forbids it, as
# images do: else every worker compiles every test anew.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest
SPREAD := -n $(WORKERS) --dist worksteal

# Where memory has room the tests' databases go there, so that no write waits for a disk.
ROOM := $(shell df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)
TESTS_IN := $(if $(shell [ "$(ROOM)" -gt 3000000 ] 2>/dev/null && echo enough),/dev/shm,$(or $(TMPDIR),/tmp))

.DEFAULT_GOAL := help
.PHONY: help run demo test long check format pins messages sources bench soak mutants docs pictures image-check licences audit clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# The virtual environment is made once, and again whenever the pinned requirements change.
$(VENV)/.run: requirements/run.txt
	@bash requirements/install $(PYTHON) $(VENV) requirements/run.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt
	@bash requirements/install $(PYTHON) $(VENV) requirements/dev.txt
	@touch $@ $(VENV)/.run

run: $(VENV)/.run ## Run the bot on SQLite in data/
	@$(BIN)/python -m bot run

demo: $(VENV)/.run ## Chat with the bot in this terminal, no token needed
	@$(BIN)/python -m bot demo

test: $(VENV)/.dev ## Every test, on SQLite and (where it can be started) PostgreSQL
	@TMPDIR=$(TESTS_IN) $(PYTEST) $(SPREAD) -m "not long"

long: $(VENV)/.dev ## The few tests that live through weeks or wait in real time
	@TMPDIR=$(TESTS_IN) $(PYTEST) $(SPREAD) -m long

soak: $(VENV)/.dev ## The long tests: every fault at its full size, every zone and night
	@$(BIN)/python -m tests.crash.soak --write $(ARGS)
	@FULL=1 $(PYTEST) tests/full

mutants: $(VENV)/.dev ## Seeded faults, each of which the tests must notice (ARGS="--only NAME", "--list", …)
	@TMPDIR=$(TESTS_IN) $(BIN)/python -m tests.mutants --write $(ARGS)

check: $(VENV)/.dev ## Style, types and import direction
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Put the code in its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: $(VENV)/.dev ## Collect every sentence for translators, and bring the catalogues up to date
	PYTHONPATH=. $(BIN)/pybabel -q extract -F babel.cfg -k words -k plural:1,2 --no-location --sort-by-file --project Lull -o bot/texts/locales/bot.pot bot
	@for po in bot/texts/locales/*/LC_MESSAGES/bot.po; do [ -e "$$po" ] || continue; \
	  $(BIN)/pybabel -q update -N -i bot/texts/locales/bot.pot -o "$$po" -l "$$(basename "$$(dirname "$$(dirname "$$po")")")"; done

pins: ## Compile requirements/*.in into hashed pins (needs uv)
	cd requirements && for f in run dev docs audit; do \
	  uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --upgrade -q $$f.in -o $$f.txt; done

bench: $(VENV)/.dev ## Speed, each figure beside its baseline (ARGS="--quick", "presses --write", …)
	@$(BIN)/python -m benchmarks $(ARGS)

# These two have virtual environments of their own: what they need is no part of the bot's.
$(VENV)/docs/.done: requirements/docs.txt
	@bash requirements/install $(PYTHON) $(VENV)/docs requirements/docs.txt
	@touch $@

$(VENV)/audit/.done: requirements/audit.txt
	@bash requirements/install $(PYTHON) $(VENV)/audit requirements/audit.txt
	@touch $@

docs: $(VENV)/docs/.done ## Build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(VENV)/docs/bin/mkdocs -q build --strict
	@echo "site/index.html"

pictures: $(VENV)/.dev ## Draw the chats in docs/pictures anew (needs chromium)
	@PYTHONPATH=. $(BIN)/python docs/pictures/draw.py

image-check: ## The image's own commands, without a container: clean environment, other user, read-only code
	@bash deploy/image-check $(PYTHON)

sources: $(VENV)/.run ## The sources of the texts that nobody has looked at for a year
	@$(BIN)/python -m bot.cli.sources

licences: $(VENV)/.run ## List what the bot is made of in docs/licences.md
	@$(BIN)/python requirements/licences.py

audit: $(VENV)/audit/.done ## Known weaknesses in the pins (needs a network), and the list of all parts
	@bash requirements/audit $(VENV)/audit/bin

clean: ## Remove what the targets above made, never data/
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov site sbom.json
