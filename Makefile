# Everything sets itself up: python3 (3.11 or newer), its pip and make are all that it takes.

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
READY := .venv/.ready
PIP := $(PYTHON) -m pip --python $(BIN)/python -qq --disable-pip-version-check

N ?= 300
SECONDS ?= 300

.PHONY: help setup demo test bench faults lint check soak lock texts

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## the environment in .venv; done once, and again when the lock changes

demo: $(READY) ## try it out without a Slack account; the tour by itself: make demo ARGS=--tour
	@$(BIN)/countersign demo $(ARGS)

test: $(READY) ## all tests; some of them: make test ARGS="tests/journey -x"
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

faults: $(READY) ## kill every journey at every call, before and after it; some: make faults ARGS="--every 10"
	@$(BIN)/python -m tests.faults $(ARGS)

bench: $(READY) ## what can be measured; one of it: make bench ARGS=ack (SECONDS=6)
	@$(BIN)/python -m tests.bench $(ARGS)

lint: $(READY) ## format, lint, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

check: lint test ## everything that must pass before a commit: what CI runs

soak: $(READY) ## processes, Redis and Slack fail for minutes: make soak N=300 SECONDS=300
	$(BIN)/python -m tests.faults.soak --threads $(N) --seconds $(SECONDS) $(ARGS)

lock: ## write requirements.lock again; newer versions: make lock ARGS=--upgrade
	@uv=$$(PATH="$(BIN):$$PATH" command -v uv) || uv="$(PYTHON) -m uv"; \
	$$uv --version >/dev/null 2>&1 || { \
	  echo "make lock needs uv: make setup && $(PYTHON) -m pip --python $(BIN)/python install uv" >&2; exit 1; }; \
	$$uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --extra local --extra agent --extra parquet --extra dev \
	  $(ARGS) pyproject.toml -o requirements.lock

texts: $(READY) ## write bot/locale/countersign.pot again: all that people read in Slack
	@$(BIN)/python -m tests.texts.extracted

# Without pip in the environment (Debian's python3 cannot put it there without python3-venv): the
# pip of the machine installs into it. The project's own build tools are in the lock, so that
# nothing is installed whose hash is not known.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Countersign needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "If you have one by another name: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import pip, sys; sys.exit([*map(int, pip.__version__.split(".")[:2])] < [22, 3])' \
	  2>/dev/null || { \
	  echo "Countersign needs pip 22.3 or newer for $(PYTHON)." >&2; \
	  echo "On Debian and Ubuntu: apt-get install python3-pip" >&2; exit 1; }
	@echo "Setting up .venv (this takes a minute or two, once) ..."
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear --without-pip .venv
	@echo "  1/2 the packages of requirements.lock"
	@$(PIP) install --require-hashes -r requirements.lock
	@echo "  2/2 Countersign itself"
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@
	@echo "Ready."
