# The course at a command. The first use makes .venv from pyproject.toml and constraints.txt; then it is quick.

PYTHON    ?= python3
PIP_FLAGS ?=
PORT      ?= 8888
IP        ?= 127.0.0.1
TP        ?=

PY = .venv/bin/python

.PHONY: help lab test run notebooks outputs bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  PYTHON=python3.12      which Python .venv is made from (3.11 or newer)"
	@echo "  PIP_FLAGS='…'          for pip, e.g. --extra-index-url of PyTorch's wheels without CUDA (smaller)"

lab: .venv/.lab ## open the practicals in JupyterLab (PORT=8889, IP=0.0.0.0)
	@$(PY) -m tp_utils lab --port $(PORT) --ip $(IP)

test: .venv/.dev ## style, unit tests, and every notebook with nbval in the smoke profile
	$(PY) -m ruff check tp_utils tests solutions benchmarks
	OMP_NUM_THREADS=1 $(PY) -m pytest -c pyproject.toml tests -n 2
	$(PY) -m pytest -c tests/pytest.ini --rootdir=. notebooks solutions -n 2 --dist loadscope

run: .venv/.lab ## execute the solutions and write pages to build/html (TP=tp08 for one)
	@$(PY) -m tp_utils run $(TP)

notebooks: .venv/.dev ## solutions → student notebooks (TP=tp08 for one)
	@$(PY) -m tp_utils build $(TP)

outputs: .venv/.lab ## execute the solutions, store their outputs and their measured numbers (TP=tp08 for one)
	@$(PY) -m tp_utils outputs $(TP)

bench: .venv/.lab ## time the heavy steps, write results/bench.json
	@$(PY) -m benchmarks.bench

clean: ## remove build/ and Python's caches; .venv, data/cache and your work stay
	rm -rf build .pytest_cache .ruff_cache .import_linter_cache
	find . -path ./.venv -prune -o -name __pycache__ -prune -exec rm -rf {} +

# ---- the environment: a stamp file for each of its states

.venv/.lab: .venv/.home pyproject.toml constraints.txt
	@echo "Installing PyTorch and JupyterLab into .venv: some minutes the first time."
	$(PY) -m pip install --disable-pip-version-check $(PIP_FLAGS) -e ".[lab]" -c constraints.txt
	@touch $@

.venv/.dev: .venv/.home pyproject.toml constraints.txt
	@echo "Installing PyTorch, JupyterLab and the tools of the tests into .venv: some minutes the first time."
	$(PY) -m pip install --disable-pip-version-check $(PIP_FLAGS) -e ".[dev]" -c constraints.txt
	@touch .venv/.lab $@

# .home says for which folder .venv was made. A folder that was moved, and a .venv whose Python is gone, need it anew.
ifneq ($(shell $(PY) --version >/dev/null 2>&1 && cat .venv/.home 2>/dev/null),$(CURDIR))
.PHONY: .venv/.home
endif

.venv/.home:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo >&2 \
	    "make: $(PYTHON) is not a Python 3.11 or newer; name one with: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo >&2 \
	    "make: $(PYTHON) cannot make environments; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(shell $(PY) --version >/dev/null 2>&1 || echo --clear) .venv
	@echo "$(CURDIR)" > $@
