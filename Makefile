# Everything a newcomer and the continuous integration run. `make` alone explains itself.
# It needs Python >= 3.11 with venv, and make; the rest goes into .venv. Windows: see the README's own lines.

SHELL   := /bin/sh
VENV    := .venv
BIN     := $(VENV)/bin
LOCK    := requirements/lock.txt
# The newest Python that is called by its version, or python3; `make PYTHON=...` overrides.
PYTHON  ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
              $$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP     := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c $(LOCK)
# Tests never meet a real TWS by accident: what the shell says of one is taken away first.
NO_TWS  := for v in $$(env | sed -n 's/^\(TWS_[A-Za-z0-9_]*\)=.*/\1/p'); do unset "$$v"; done;
DATA    ?= ../shared/data
MINUTES ?= 30
SEEDS   ?= 2000
WORLD   ?= 20000
AUTOMATION ?= 500
KILLS   ?= 200
# Half as many again as there are cores: much of a test is waiting for a socket.
WORKERS ?= $(shell $(or $(PYTHON),python3) -c "import os; print((os.cpu_count() or 1) * 3 // 2)")
ARGS    ?=

# Hundreds of tests start an interpreter: each would compile all of tws anew, and pytest every test.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check test-slow test-data days conformance migration index soak soak-world soak-automation crash fuzz bench lock size format clean

help:  ## Show this list
	@echo "TWS Trading Framework. Two commands do all the set-up: make demo, make test."
	@echo
	@sed -n 's/^\([a-z-]*\):.*##\( .*\)/  make \1|\2/p' Makefile | while IFS='|' read -r a b; do printf '%-18s%s\n' "$$a" "$$b"; done
	@echo
	@echo "  ARGS=...          goes to the command, as in: make demo ARGS='--seed 3', make test ARGS='-k orders'"

demo: $(VENV)/base.stamp  ## Simulated TWS, desk and two strategies in one process: a trading day in under a minute
	$(BIN)/tws demo $(ARGS)

test: check  ## All checks and tests but the slow ones, some files at once; no TWS, no account, no network (TWS_* is cleared)
	@$(NO_TWS) $(BIN)/python -m pytest -m "not slow" --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-slow: $(VENV)/dev.stamp  ## The tests that take more than ten seconds each: whole runs as a user starts them, mostly
	@$(NO_TWS) $(BIN)/python -m pytest -m slow --numprocesses $(WORKERS) --dist loadfile $(ARGS)

check: $(VENV)/dev.stamp  ## Style and types alone: ruff, mypy --strict for Linux, Windows and macOS
	$(BIN)/ruff check src tests bench examples fuzz requirements
	@$(MAKE) --no-print-directory -j3 types-linux types-win32 types-darwin

types-%:
	@# One cache for each platform, or each run would throw the other's away; each keeps one core busy.
	$(BIN)/mypy --platform $* --cache-dir .mypy_cache/$*

test-data: $(VENV)/dev.stamp  ## The tests on recorded market data: make test-data DATA=../shared/data
	@$(NO_TWS) $(BIN)/python -m pytest -m data --data="$(DATA)" $(ARGS)

days: $(VENV)/dev.stamp  ## Eight tickers over three recorded days, judged by the broker's books: make days DATA=../shared/data
	@$(NO_TWS) $(BIN)/python -m tests.automation --data "$(DATA)" $(ARGS)

conformance: $(VENV)/dev.stamp  ## Eleven real clients against the simulator, each in its own environment; writes docs/conformance.md
	@$(NO_TWS) $(BIN)/python -m tests.conformance $(ARGS)

migration: $(VENV)/dev.stamp  ## The same scripts on ib_async and on ours, against the simulator; writes docs/moving-from-ib_async.md
	@$(NO_TWS) $(BIN)/python -m tests.migration $(ARGS)

index: $(VENV)/dev.stamp  ## Every request of the official client with ours and its test; writes docs/official-requests.md
	@$(NO_TWS) $(BIN)/python -m tests.index

soak: $(VENV)/dev.stamp  ## The connection under every fault, on virtual time: make soak SEEDS=2000 (ARGS=--ledger writes docs/soak-ledger.md)
	@$(NO_TWS) $(BIN)/python -m tests.soak --seeds $(SEEDS) $(ARGS)

soak-world: $(VENV)/dev.stamp  ## The whole trader under every fault, on from docs/world-ledger.md: make soak-world WORLD=20000
	@$(NO_TWS) $(BIN)/python -m tests.world --seeds $(WORLD) $(ARGS)

soak-automation: $(VENV)/dev.stamp  ## A configuration flown under every fault, on from docs/automation-ledger.md: make soak-automation AUTOMATION=500
	@$(NO_TWS) $(BIN)/python -m tests.world --automation --seeds $(AUTOMATION) $(ARGS)

crash: $(VENV)/dev.stamp  ## kill -9 of the real process against the simulator: make crash KILLS=200 (ARGS=--ledger writes docs/crash-ledger.md)
	@$(NO_TWS) $(BIN)/python -m tests.crash.killing --kills $(KILLS) $(ARGS)

fuzz: $(VENV)/dev.stamp  ## The simulator against a hostile client, guided by coverage: make fuzz MINUTES=30 (Linux)
	$(PIP) atheris
	$(BIN)/python fuzz/run.py --minutes $(MINUTES)

bench: $(VENV)/dev.stamp  ## Speed and memory, in bench/; numbers, never a test
	@# yardstick.py is the adapter that a comparison with other clients calls; by itself it measures nothing.
	@$(NO_TWS) for script in bench/*.py; do case $$script in */yardstick.py) continue;; esac; \
	  echo "== $$script"; $(BIN)/python $$script $(ARGS) || exit 1; done

lock: $(VENV)/base.stamp  ## Resolve the dependencies anew into requirements/lock.txt
	$(BIN)/python requirements/lock.py

size: $(VENV)/dev.stamp  ## What the base install weighs
	@$(BIN)/python requirements/size.py

format: $(VENV)/dev.stamp  ## Lay out the code as ruff does
	$(BIN)/ruff format src tests

clean:  ## Remove the environment, caches and build results
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist src/*.egg-info
	find . -name __pycache__ -type d -not -path './.git/*' -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python >= 3.11 with venv was found. Install one (on Debian and Ubuntu:"; \
	  echo "apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "The environment could not be made; on Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/base.stamp: $(BIN)/python pyproject.toml $(LOCK)
	$(PIP) -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/base.stamp
	$(PIP) -e '.[dev]'
	@touch $@
