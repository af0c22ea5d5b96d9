# `make distill` and `make test` set up .venv by themselves; a second run starts at once.
.DEFAULT_GOAL := help
.PHONY: help distill demo task test docs benchmarks compare reproduce faults stranger mutate viz mlflow lint format types contracts architecture doctest env lowest clean

VENV := .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest
STAMP := $(VENV)/.installed
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))

# The first Python 3.11 to 3.13 that really runs (a pyenv shim may not); one that can make environments is preferred.
PYTHON ?= $(shell \
	for needs in ensurepip sys; do for each in python3.13 python3.12 python3.11 python3 python; do \
		if $$each -c "import $$needs; $(SUPPORTED)" >/dev/null 2>&1; then echo $$each; exit; fi; \
	done; done)
WORKERS := 2# processes for the tests, a file at a time each; about 2 GB a process
# make distill ENV=face_speech; only from make's command line, since shells have an ENV of their own
KEDRO_ENV := $(if $(filter command line,$(origin ENV)),--env=$(ENV))
# $(call needs,NAME,its value,how to type it): an error where it has none
needs = $(if $(strip $(2)),,$(error $(1) is not given; type: $(3)))
IDS := `make mlflow` shows them, and each run ends with its own

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

distill: $(STAMP) ## from raw data to an evaluated student (ENV=face_speech for another task, ARGS=... for kedro run)
	$(BIN)/kedro run --pipeline=distill $(KEDRO_ENV) $(ARGS)

demo: $(STAMP) ## the student on a page in the browser: files, recordings, words (ENV=..., ARGS="--port=8001")
	$(BIN)/cross-modal-kd demo --open $(KEDRO_ENV) $(ARGS)

task: $(STAMP) ## an environment for a folder of your own (NAME=birds FOLDER=~/birds, ARGS=... for new-task)
	$(call needs,NAME,$(NAME),make task NAME=birds FOLDER=~/birds)
	$(call needs,FOLDER,$(FOLDER),make task NAME=birds FOLDER=~/birds)
	$(BIN)/kedro new-task $(ARGS) "$(NAME)" "$(FOLDER)"

test: $(STAMP) ## the tests (ARGS=... for pytest, WORKERS=8 for more than two processes)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart=0 $(ARGS)

docs: $(STAMP) ## the documentation as a site, in site/, without the network (ARGS=... for mkdocs build)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -q $(ARGS)
	@echo "open site/index.html; its search needs a server: $(BIN)/python -m http.server --directory site"

faults: $(STAMP) ## runs that are killed, disks that are full, servers, minutes (ARGS="--kills=40 --seed=1")
	OMP_NUM_THREADS=1 nice -n 10 $(BIN)/python -m pytest -m faults $(ARGS)

stranger: $(STAMP) ## a clone, a folder of pictures, a student that answers over HTTP (ARGS=--fresh for an environment too)
	OMP_NUM_THREADS=1 $(BIN)/python scripts/stranger.py $(ARGS)

benchmarks: $(STAMP) ## what everything costs, beside its peers, as docs/benchmarks.md has it (ARGS="--only loops growth")
	$(BIN)/python benchmarks/all.py $(ARGS)

mutate: $(STAMP) ## what the tests of a room miss (ROOM=losses, ARGS="--sample 200"); see docs/mutation.md
	OMP_NUM_THREADS=1 nice -n 19 $(BIN)/python scripts/mutate.py $(ROOM) $(ARGS)

viz: $(STAMP) ## the pipelines as a graph, in the browser
	$(BIN)/kedro viz run $(ARGS)

# without the first, MLflow starts eight processes of 250 MB that nothing here has a use for; one reader needs one worker
mlflow: $(STAMP) ## the tracked runs, in the browser (http://127.0.0.1:5000, choose Model training, Experiments)
	MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false $(BIN)/mlflow ui --workers 1 --backend-store-uri "$${MLFLOW_TRACKING_URI:-sqlite:///mlflow.db}" $(ARGS)

compare: $(STAMP) ## what differs between tracked runs, on the console and on a page in the browser (RUNS="id id")
	$(call needs,RUNS,$(RUNS),make compare RUNS="id id" ($(IDS)))
	$(BIN)/cross-modal-kd compare --open $(RUNS) $(ARGS)

reproduce: $(STAMP) ## a tracked run again, at its commit, number by number (RUN=id, ARGS="--keep")
	$(call needs,RUN,$(RUN),make reproduce RUN=id ($(IDS)))
	$(BIN)/cross-modal-kd reproduce $(RUN) $(ARGS)

lint: $(STAMP) ## ruff, rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP) ## put right what ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(STAMP) ## mypy on all of src
	$(BIN)/mypy

contracts: $(STAMP) ## the arrows between the rooms (import-linter), and the picture of them
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/draw_architecture.py --check

architecture: $(STAMP) ## draw docs/architecture.svg from the imports
	$(BIN)/python scripts/draw_architecture.py

doctest: $(STAMP) ## the examples in the docstrings
	$(BIN)/python -m pytest --doctest-modules src $(ARGS)

env: $(STAMP) ## the environment in .venv, and nothing else

lowest: ## the tests with the lowest versions that pyproject.toml allows, in .venv-lowest; nightly (needs uv)
	@command -v uv >/dev/null || { echo "make: uv resolves to the lowest versions and is not installed: pip install uv" >&2; exit 1; }
	uv venv -q --seed --allow-existing --python "$(PYTHON)" $(LOWEST)
	uv pip install -q --upgrade --python $(LOWEST)/bin/python --resolution lowest-direct -e '.[all,dev,docs]'
	$(LOWEST)/bin/python -m pytest $(ARGS)

clean: ## caches and what kedro-viz wrote; data, models and tracked runs stay
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .viz build mutants site
	find src tests notebooks -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last: an installation that was interrupted is taken up again.
$(STAMP): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c "$(SUPPORTED)"; then \
		echo "make: Python 3.11, 3.12 or 3.13 is needed, found '$(PYTHON)'; name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; \
		exit 1; \
	fi
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		echo "making $(VENV) with $(PYTHON)"; \
		"$(PYTHON)" -m venv --clear $(VENV) >/dev/null 2>&1 \
		|| { "$(PYTHON)" -m pip install -q --disable-pip-version-check --target $(VENV)/bootstrap virtualenv >/dev/null 2>&1 \
			&& PYTHONPATH=$(VENV)/bootstrap "$(PYTHON)" -m virtualenv -q $(VENV) && rm -rf $(VENV)/bootstrap; } \
		|| uv venv -q --clear --seed --python "$(PYTHON)" $(VENV) 2>/dev/null \
		|| { echo "make: $(PYTHON) can make no environment: install its venv module (Debian, Ubuntu: apt-get install python3-venv), pip or uv" >&2; exit 1; }; \
	fi
	@echo "installing into $(VENV): about 3 minutes and 6.5 GB the first time (torch brings its CUDA libraries)"
	@$(BIN)/python -m pip install -q --progress-bar off --disable-pip-version-check -c constraints.txt -e '.[all,dev,docs]'
	@touch $@
