# make demo and make test work on a fresh clone: each sets up what it needs.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := torch,blazepose,onnx,vitpose,ray,beam,dev

.DEFAULT_GOAL := help
.PHONY: help install install-openpifpaf demo test chaos fuzz-video lint check clean bench-decode bench-import

help:  ## Show the targets
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

install: $(VENV)/.installed  ## Make the virtual environment with everything that demo and test need

$(VENV)/.installed: setup.py constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[$(EXTRAS)]"
	touch $@

install-openpifpaf: install  ## Add the estimator openpifpaf, which is AGPL-3.0; compiles for minutes
	scripts/install_openpifpaf.sh $(BIN)/python

demo: install  ## Fixture videos -> poses -> features -> a trained model and a report
	$(BIN)/posemill demo --out demo-out

# Three processes on two cores: much of the time of a test is that of waiting for one that it has started.
test: install  ## Run the tests
	$(BIN)/python -m pytest --numprocesses 3 --dist loadscope --no-loadscope-reorder

chaos: install  ## Kill extract, materialize and retry 60 times, and check that nothing was lost (minutes)
	POSEMILL_CHAOS_KILLS=60 $(BIN)/python -m pytest tests/chaos

fuzz-video: install  ## Break 10,000 videos and extract them among whole ones (minutes)
	POSEMILL_FUZZ_FILES=10000 $(BIN)/python -m pytest tests/fuzz -rP

lint: install  ## Format check, lint, types, import directions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test  ## Everything that CI runs

bench-decode: bench-decode-streams bench-decode-processes  ## Measure decoding: one stream, then several processes

bench-import: bench-import-pickle  ## Measure importing a pickle of 10,000 clips beside pickle.load

bench-%: install  ## Run a benchmark: bench-extract-real, bench-fixtures, bench-poses, ...
	$(BIN)/python benchmarks/$(subst -,_,$*).py

clean:  ## Remove the virtual environment and the demo's output
	rm -rf $(VENV) demo-out
