# Each target sets up what it needs. PYTHON chooses the interpreter, VENV the folder of its environment.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PORT ?= 5000
HOST ?= 127.0.0.1
SERVER ?= hypercorn

.PHONY: demo test check bench docs clean

demo: $(VENV)/ready  ## the chat example in a browser
	cd examples/chat && $(CURDIR)/$(BIN)/quart-plug --app app:app run --host $(HOST) --port $(PORT) --server $(SERVER)

test: $(VENV)/ready-dev  ## the whole suite; system packages that it needs are installed where that is possible
	scripts/system-packages
	$(BIN)/python scripts/extensions || [ "$(CI)" != true ]
	$(BIN)/python scripts/plugin-environments || [ "$(CI)" != true ]
	$(BIN)/python -m pytest -n auto $(ARGS)

check: $(VENV)/ready-dev  ## lint, format, types, layers, the documentation's samples
	$(BIN)/ruff check .
	$(BIN)/mypy
	cd examples/plugins && $(CURDIR)/$(BIN)/mypy *.py
	$(BIN)/python -m pytest -q tests/project

bench:  ## the speed comparison, in an environment of its own
	PYTHON=$(PYTHON) scripts/bench $(ARGS)

docs: $(VENV)/ready-dev  ## generate the reference pages from the code
	$(BIN)/python scripts/generate_reference.py

$(VENV)/ready: pyproject.toml
	scripts/environment $(PYTHON) $(VENV)
	touch $@

$(VENV)/ready-dev: pyproject.toml
	scripts/environment $(PYTHON) $(VENV) dev
	touch $(VENV)/ready $@

clean:
	rm -rf $(VENV) .envs build dist
