# make run   sets everything up and serves the API and the web app until Ctrl-C
# make bot   sets everything up and runs the Telegram bot; DEEPFAKE_BOT_TOKEN, docs/telegram-bot.md
# make test  sets everything up and runs linter, type checker and tests
# make contract  sends requests made from the OpenAPI document; CONTRACT_EXAMPLES for each route
# make test-deploy  builds the images and brings docker-compose.yml up with an engine of its own; as root on Debian
# make scan  looks for known weaknesses in Dockerfiles, packages and images; asks a database on the internet
# make pins  writes the versions that the images hold, deploy/constraints.txt, off the environment
# make bench  runs every benchmark anew and rewrites the tables; BENCHMARKS names some of them; hours, DEEPFAKE_DATA
# make screenshots  makes docs/screenshots/ anew, with Debian's chromium
# make clean removes what these made; data and models stay

PYTHON ?= python3
VENV ?= .venv
HOST ?= 127.0.0.1
PORT ?= 8000
WEB_PORT ?= 8501
# https://download.pytorch.org/whl/cpu spares ordinary users the CUDA build of PyTorch
TORCH_INDEX_URL ?=
TEST_PROCESSES ?= 2
PYTEST_ARGS ?=
CONTRACT_EXAMPLES ?= 200
BENCHMARKS ?=

BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet \
	$(if $(TORCH_INDEX_URL),--extra-index-url $(TORCH_INDEX_URL))

.PHONY: run bot test bench contract test-deploy scan pins screenshots setup setup-bot setup-dev clean
.DELETE_ON_ERROR:

run: setup
	@exec $(BIN)/python -m backend.cli serve --web --host $(HOST) --port $(PORT) --web-port $(WEB_PORT)

bot: setup-bot
	@exec $(BIN)/python -m frontend.telegram_bot

# BLAS threads that wait sleep: spinning, they take the cores from the other processes
test: export OPENBLAS_THREAD_TIMEOUT := 4
test: export OMP_WAIT_POLICY := passive
# hundreds of processes start: none of them should compile the project's modules anew
test: export PYTHONDONTWRITEBYTECODE :=
test: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

contract: setup-dev
	CONTRACT_EXAMPLES=$(CONTRACT_EXAMPLES) $(BIN)/pytest tests/api/test_schema_fuzzing.py --timeout 3600 $(PYTEST_ARGS)

test-deploy: setup-dev
	$(BIN)/python -m tests.deploy.run

scan: setup-dev
	VENV=$(VENV) bash deploy/scan.sh

pins: setup-dev
	$(BIN)/python deploy/pin.py > $(VENV)/constraints.txt && cp $(VENV)/constraints.txt deploy/constraints.txt

bench: setup-dev
	$(BIN)/python -m benchmarks $(BENCHMARKS)

screenshots: setup-dev
	$(BIN)/python -m tests.e2e.screenshots

setup: $(VENV)/installed
setup-bot: $(VENV)/installed-bot
setup-dev: $(VENV)/installed-dev

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		rm -rf $(VENV); echo "On Debian and Ubuntu this needs: apt install python3-venv" >&2; exit 1; }

# One stamp for each set of packages: made again only when pyproject.toml changed.
$(VENV)/installed: pyproject.toml | $(BIN)/python
	@echo "Installing packages into $(VENV) (the first time takes some minutes)"
	@$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/installed-bot: pyproject.toml | $(BIN)/python
	@echo "Installing packages into $(VENV) (the first time takes some minutes)"
	@$(PIP_INSTALL) --editable '.[bot]'
	@touch $@ $(VENV)/installed

$(VENV)/installed-dev: pyproject.toml | $(BIN)/python
	@echo "Installing packages and development tools into $(VENV) (the first time takes some minutes)"
	@$(PIP_INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/installed $(VENV)/installed-bot

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
