VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: setup demo test test-slow check format docs bench clean

# The base install: everything that annotation with the embedded model needs.
$(VENV)/base: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt -e .
	touch $@

# torch first: a package that depends on it would otherwise choose another build.
$(VENV)/dev: $(VENV)/base requirements-dev.txt
	$(PIP) install -c constraints.txt torch
	$(PIP) install -c constraints.txt -e '.[train,onnx,track,scale,tune,diagnose,generate,serve,trace,ray-serve,compress]' -r requirements-dev.txt
	touch $@

setup: $(VENV)/dev

demo: $(VENV)/base
	$(BIN)/biobert annotate examples/*.txt --output demo-output --to pubtator --to bioc-json --to html

# A process for each core, and one thread in each: more threads than cores wait for one another.
test: $(VENV)/dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m "not slow"

# What repeats, at length, what a faster test shows once: more methods on two processes, compilation.
test-slow: $(VENV)/dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/mkdocs build --strict --quiet

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/dev
	$(BIN)/python docs/generate.py
	$(BIN)/python -m pytest tests/docs
	$(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/dev
	$(BIN)/python benchmarks/inference.py
	$(BIN)/python benchmarks/training.py

clean:
	rm -rf $(VENV) demo-output build
