# One place for the commands: people, hooks and .ci/run all come through here.
# Wants Python >= 3.11 with venv, and make; everything else goes into .venv.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
SHARED ?= $(if $(ERRORBUDGET_SHARED),$(ERRORBUDGET_SHARED),../shared)

# `make test SLOW=1` runs the slow ones too, SLOW=only them alone; ARGS="-k burn" goes to pytest as it is;
# JOBS=0 runs in one process, for --pdb.
MARKED := $(if $(SLOW),-m "$(if $(filter only,$(SLOW)),slow)")
JOBS   ?= auto
ARGS   ?=
MINUTES ?= 60

export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export NO_MKDOCS_2_WARNING := 1
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

UV      := $(BIN)/uv
INSTALL := $(UV) pip install --python $(BIN)/python

.PHONY: help demo test covered check env lint format types floors deps docs pictures docs-zensical examples notebooks conformance \
	mutants bench bench-full soak wheel reproducible core extras lowest newest matrix clean
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help:  ## show this
	@echo "errorbudget: what make can do"
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

# ------------------------------------------------------------------------------ environment

$(VENV)/.python:
	@$(PYTHON) -c 'import sys' 2>/dev/null || { \
	  echo "No $(PYTHON) here. Cure: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "errorbudget needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version)."; \
	  echo "Cure: install a newer one and name it, as in: make test PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make environments here. Cure: apt install python3-venv"; exit 1; }
	@echo "== making $(VENV) with $$($(PYTHON) --version), and putting uv into it"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet uv
	@touch $@

# A stamp for each set of packages, renewed when what says so changes.
$(VENV)/.demo: pyproject.toml Makefile | $(VENV)/.python
	@echo "== installing errorbudget with its report, specifications and command line"
	@$(INSTALL) -e '.[specs,report,cli]'
	@touch $@

$(VENV)/.test: pyproject.toml Makefile | $(VENV)/.python
	@echo "== installing errorbudget with all extras, and what its tests want"
	@$(INSTALL) -e '.[all]' --group test
	@touch $@

$(VENV)/.dev: pyproject.toml Makefile | $(VENV)/.python
	@echo "== installing errorbudget with all extras, and every tool that CI runs"
	@$(INSTALL) -e '.[all]' --group dev
	@touch $@ $(VENV)/.test $(VENV)/.demo

$(VENV)/.bench: pyproject.toml Makefile | $(VENV)/.python
	@echo "== installing errorbudget, and the peers of its benchmarks"
	@$(INSTALL) -e '.[all]' --group bench
	@touch $@

env: $(VENV)/.dev  ## the environment with every tool in it

# ------------------------------------------------------------------------------ for everyone

demo: $(VENV)/.demo  ## simulate a shop's month with incidents, report on it, write a page
	@echo "== errorbudget demo --out demo"
	@$(BIN)/errorbudget demo --out demo

test: $(VENV)/.test  ## run the tests (SLOW=1 for all of them, ARGS=... for pytest)
	@echo "== tests, docstrings, README and docs"
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(MARKED) $(ARGS)

covered: $(VENV)/.dev  ## after `make test ARGS=--cov`: whether floors 0 to 2 are covered whole
	@$(BIN)/python -m tests.covered

check:  ## run everything that CI runs
	@bash .ci/run

# ------------------------------------------------------------------------------ each check alone

lint: $(VENV)/.dev  ## lint, and look whether everything is formatted
	@$(BIN)/ruff check .
	@# a file that is text has an encoding: Windows has another one
	@$(BIN)/ruff check --quiet --preview --select PLW1514 src tests
	@$(BIN)/ruff format --check .
	@$(BIN)/zizmor --offline --quiet .github/workflows

format: $(VENV)/.dev  ## format, and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.dev  ## check types, of the source and as users see them, with two checkers
	@$(BIN)/mypy
	@$(BIN)/pyrefly check --summary=none

floors: $(VENV)/.dev  ## check that imports point down the floors
	@$(BIN)/lint-imports --no-cache

deps: $(VENV)/.dev  ## check that what is imported is declared, and the other way round
	@$(BIN)/deptry src

docs: $(VENV)/.dev  ## build the documentation into site/
	@$(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

pictures: $(VENV)/.dev  ## draw the pictures of README and docs anew
	@$(BIN)/python docs/.pictures.py
	@ls -l docs/images

docs-zensical: $(VENV)/.dev  ## build it with the builder that will follow mkdocs
	@$(BIN)/zensical build --strict

examples: $(VENV)/.dev  ## run every example of README, docs and docstrings
	@$(BIN)/python -m pytest README.md docs src $(ARGS)

notebooks: $(VENV)/.dev  ## execute every notebook
	@$(BIN)/python -m pytest -m "" tests/test_notebooks.py $(ARGS)

conformance: $(VENV)/.dev  ## answer the public reference cases (SHARED=folder)
	@$(BIN)/python -m tests.conformance $(SHARED)/conformance/*.json

# `make mutants MODULES="burn.py 'kernels/*'"`; ARGS="--own" asks those modules' own tests alone.
mutants: $(VENV)/.test  ## change floors 0 to 3 and see whether tests notice (MODULES=, SAMPLE=40, LEAST=90)
	@$(BIN)/python -m tests.mutants $(MODULES) $(if $(SAMPLE),--sample $(SAMPLE)) \
	  $(if $(LEAST),--least $(LEAST)) $(ARGS)

bench: $(VENV)/.bench  ## benchmarks in small size, about two minutes (ARGS="--rounds 2" for one)
	@$(BIN)/python -m benchmarks --size small $(ARGS)

bench-full: $(VENV)/.bench  ## benchmarks in full size; results go to benchmarks/results/
	@$(BIN)/python -m benchmarks --size full

soak: $(VENV)/.test  ## an hour of workers in bad weather, compared with a count by hand (MINUTES=5)
	@$(BIN)/python -m tests.soak --minutes $(MINUTES)

wheel: $(VENV)/.python  ## build sdist and wheel into dist/
	@rm -rf dist
	@$(UV) build --quiet --python $(BIN)/python --out-dir dist .
	@ls -l dist

reproducible: wheel  ## build twice, and compare to the byte
	@rm -rf build/again && mkdir -p build
	@$(UV) build --quiet --python $(BIN)/python --out-dir build/again .
	@for one in dist/*.whl dist/*.tar.gz; do cmp $$one build/again/$$(basename $$one) || exit 1; done
	@echo "sdist and wheel are the same, built twice"

core: reproducible  ## run the tests on the wheel, without sources and without extras
	@echo "== a clean environment with the wheel alone"
	@rm -rf build/core && mkdir -p build/core
	@$(BIN)/python -m venv --without-pip build/core/venv
	@$(UV) pip install --quiet --python build/core/venv/bin/python dist/*.whl
	@cd build/core && venv/bin/python -I -c "import errorbudget, pathlib; \
	  assert 'site-packages' in errorbudget.__file__; \
	  assert (pathlib.Path(errorbudget.__file__).parent / 'py.typed').is_file(); \
	  print('errorbudget', errorbudget.__version__, 'from the wheel')"
	@$(UV) pip install --quiet --python build/core/venv/bin/python --group core-test
	@cp -r tests pyproject.toml build/core/
	@cd build/core && ERRORBUDGET_SHARED=$(abspath $(SHARED)) ERRORBUDGET_REQUIRE_ALL=0 \
	  venv/bin/python -m pytest tests -o addopts="" -m "not slow" -q \
	  --ignore tests/test_benchmarks.py --ignore tests/test_live_costs.py \
	  --ignore tests/test_rules_examples.py --ignore tests/test_mutants.py --ignore tests/test_extras.py \
	  -n $(JOBS) --dist loadfile --no-loadscope-reorder

EXTRAS ?= $(shell sed -n '/^\[project.optional/,/^all/s/^\([a-z]*\) = .*/\1/p' pyproject.toml | grep -v '^all$$')

extras: wheel  ## install the wheel with each extra alone, and do what it is for (EXTRAS="pandas cli")
	@rm -rf build/extras && mkdir -p build/extras && cp -r tests pyproject.toml build/extras/
	@for extra in $(EXTRAS); do \
	  $(BIN)/python -m venv --without-pip --clear build/extras/venv && \
	  $(UV) pip install --quiet --python build/extras/venv/bin/python \
	    "$$(ls dist/*.whl)[$$extra]" --group core-test && \
	  (cd build/extras && echo "== errorbudget[$$extra]" && ERRORBUDGET_REQUIRE_ALL=1 \
	    venv/bin/python -m pytest -q -o addopts="" tests/test_extras.py::test_$$extra) || exit 1; \
	done

# Old libraries warn of each other; what else warns is an error here too.
lowest: $(VENV)/.python  ## run the tests with the lowest versions that pyproject.toml allows (ARGS=...)
	@echo "== the lowest versions that pyproject.toml allows"
	@rm -rf build/lowest && $(BIN)/python -m venv --without-pip build/lowest
	@$(UV) pip install --quiet --python build/lowest/bin/python --resolution lowest-direct \
	  -e '.[all]' --group core-test
	@$(UV) pip list --python build/lowest/bin/python 2>/dev/null | grep -E '^(numpy|narwhals|pandas) '
	@ERRORBUDGET_REQUIRE_ALL=0 build/lowest/bin/python -m pytest --confcutdir tests -W default::DeprecationWarning \
	  -n $(JOBS) --dist loadfile --no-loadscope-reorder $(MARKED) $(or $(ARGS),tests)

newest: $(VENV)/.python  ## run the tests with pre-releases, where there are newer ones (ARGS=...)
	@echo "== the newest versions, pre-releases too"
	@rm -rf build/newest && $(BIN)/python -m venv --without-pip build/newest
	@$(UV) pip install --quiet --python build/newest/bin/python --prerelease allow \
	  -e '.[all]' --group core-test
	@$(UV) pip list --python build/newest/bin/python 2>/dev/null | grep -E '^(numpy|narwhals|pandas) '
	@ERRORBUDGET_REQUIRE_ALL=0 build/newest/bin/python -m pytest --confcutdir tests \
	  -n $(JOBS) --dist loadfile --no-loadscope-reorder $(MARKED) $(or $(ARGS),tests)

PYTHONS ?= python3.11 python3.12 python3.13 python3.14 python3.14t

matrix:  ## run the tests with every Python that is here (PYTHONS="python3.12 /opt/python3.14/bin/python")
	@for python in $(PYTHONS); do \
	  version=$$($$python -c 'import sys, sysconfig as s; \
	    print(*sys.version_info[:2], sep=".", end="t" * bool(s.get_config_var("Py_GIL_DISABLED")))' \
	    2>/dev/null) || { echo "== no $$python here"; continue; }; \
	  $(MAKE) --no-print-directory test PYTHON=$$python VENV=build/python$$version || exit 1; \
	done

clean:  ## remove everything that was made here
	rm -rf $(VENV) build dist site demo htmlcov .coverage .coverage.* .pytest_cache .mypy_cache \
	  .ruff_cache .hypothesis .benchmarks .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
