# Two commands are enough: `make run` and `make test`. They install what they need, once.
# Flags for the program go into ARGS: make run ARGS="--source 1 --piece uncanny".

python := .venv/bin/python
ARGS ?=
PYTHON ?=
IMAGES ?= portraits
SITE ?= site
MINUTES ?= 60
SEED ?= 1

.PHONY: help setup run test lint bench golden train films soak month resemblance faults install-service remove-service clean

help:  ## say what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 22

setup: .venv/installed  ## make .venv, and install the program and what drawing needs
	@.ci/system-packages run

.venv/installed: setup.cfg pyproject.toml constraints.txt
	@.ci/install $(PYTHON)

run: setup  ## show the piece: camera and window if there are any
	@$(python) -m mirror run $(ARGS)

test: .venv/installed  ## run every test
	@.ci/system-packages test
	@$(python) -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

lint: .venv/installed  ## style and types
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy

bench: setup  ## measure every stage on this machine: out/bench.json
	@mkdir -p out
	@$(python) -m mirror bench --json out/bench.json $(ARGS)

golden: setup  ## draw the golden pictures of the tests anew
	@$(python) -m pytest --redraw-golden -k golden $(ARGS)

train: setup  ## train all six models on the portraits in IMAGES=folder
	@$(python) -m mirror train all --images $(IMAGES) $(ARGS)

films: setup  ## a film of a minute of each piece, under out/
	@mkdir -p out
	@for piece in river uncanny passersby; do \
	    $(python) -m mirror run --piece $$piece --screen offscreen --seconds 60 \
	        --film out/$$piece.mp4 --still out/$$piece.png $(ARGS) || exit; \
	done

soak: .venv/installed  ## the real program and faults by lot: MINUTES=60, SEED=1; out/soak.json
	@.ci/system-packages test
	@PYTHONPATH=. $(python) tests/soak.py --minutes $(MINUTES) --seed $(SEED) --json out/soak.json

month: .venv/installed  ## memory over a month of visits on a fast clock: MINUTES=180; out/month.json
	@.ci/system-packages run
	@mkdir -p out
	@PYTHONPATH=. $(python) tests/month.py --minutes $(MINUTES) --json out/month.json

resemblance: .venv/installed  ## whether sitters are known in drawn pictures: CLIPS=folder; out/resemblance.json
	@.ci/system-packages test
	@mkdir -p out
	@PYTHONPATH=. $(python) tests/resemblance.py $(if $(CLIPS),--clips $(CLIPS)) --json out/resemblance.json

faults: .venv/installed  ## every fault once, measured on a display: out/faults.md
	@.ci/system-packages test
	@mkdir -p out
	@PYTHONPATH=. $(python) tests/fault_matrix.py --table out/faults.md

install-service: setup  ## keep the piece running with systemd: SITE=name, flags in ARGS
	@.ci/install-service $(SITE) $(ARGS)

remove-service:  ## take the service away again
	@.ci/install-service remove

clean:  ## remove .venv, out/ and what tools leave behind
	rm -rf .venv out build *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
