# What a planner and a developer need, one word each. `make` alone lists them.
# On a machine without make: docs/guides/run_without_make.md.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test verify lint format bench docs clean

help:  ## list these words
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 16

setup: $(READY)  ## make .venv with the pinned packages and pharmsim itself

$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pharmsim needs Python 3.11 or newer; make PYTHON=python3.12 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

SEL := scenarios/sel/baseline.yaml
PROGRAMME := $(addprefix scenarios/sel/programme/, \
  headline.yaml rotational_roles_hospital.yaml new_roles.yaml skills_we_have.yaml)

PICTURES := $(addprefix results/baseline/figures/, headcount.png vacancies.png retention.png pressure.png loops.svg)
REPORT := results/baseline_compared/report.html

demo: $(READY)  ## run South East London, compare programmes with it, write the report (about three minutes)
	$(BIN)/pharmsim run $(SEL) --force
	$(BIN)/pharmsim compare $(SEL) $(PROGRAMME) --force
	$(BIN)/pharmsim report results/baseline_compared --force
	@echo
	@echo "Pictures of the baseline:"
	@ls $(PICTURES) | sed 's/^/  /'
	@echo "The report on the programmes, to open in a browser:"
	@ls $(REPORT) | sed 's/^/  /'

test: $(READY)  ## every test but the slow statistical ones
	$(BIN)/python -m pytest -m "not verify" -n auto --dist worksteal

verify: $(READY)  ## the slow statistical tests; records the verified engine in docs/background
	$(BIN)/python -m pytest -m verify -n auto --record-verification

lint: $(READY)  ## style, types and the rules of the house
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_house.py

format: $(READY)  ## lay out the code
	$(BIN)/ruff format src tests scripts benchmarks

bench: $(READY)  ## time the engine beside its rivals; writes benchmarks/results.md (about six minutes)
	@test -x .venv_bench/bin/python || $(PYTHON) -m venv .venv_bench
	@.venv_bench/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt \
	  || (echo "PySD cannot be installed here: left out"; rm -rf .venv_bench)
	$(BIN)/python benchmarks/run.py

docs: $(READY)  ## write docs/reference from the code
	$(BIN)/python scripts/make_reference.py

clean:  ## delete what the tools left behind (not results, not .venv)
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find src tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
