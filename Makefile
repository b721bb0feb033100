# make run    everything on this machine: database, broker, web, worker (ARGS="--port 8001" passes options)
# make test   every check, after installing what the tests need, browser and Node included
# make lint   ruff, mypy, import rules, sizes
# make bench  our figures beside another engine's, on the same database
# make polling  what 200 open pages cost the engine
# make pages  how fast pages answer with a million executions
# make checkpoints  what the door for checkpoints over HTTP carries
# make crash  the long fault tests with real workers, and thousands of other schedules of the simulation
# make screenshots  pictures of the running console with demo data (ARGS="--into DIRECTORY --only overview,costs")
# make approvals  the long proofs of approvals: scanners, guesses, fifty at once, a moody mail server
# make fuzz  20,000 requests drawn from the OpenAPI document, as every role (FUZZ_REQUESTS=100000 more of them)
# make conformance  judges AWS's requirement files, see tests/conformance/outside/README.md

PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
UV := $(shell command -v uv 2>/dev/null)
ARGS ?=

.DEFAULT_GOAL := run
.PHONY: approvals run test lint bench checkpoints pages polling crash screenshots conformance browser node clean fuzz

run: .venv/.installed
	@DURABLE_FOLLOW_PARENT=1 exec .venv/bin/python manage.py serve $(ARGS)

test: .venv/.tests browser .node/.installed
	@exec .venv/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: .venv/.tests
	@exec .venv/bin/python -m pytest tests/house $(ARGS)

crash: .venv/.tests
	@exec .venv/bin/python -m pytest tests/crash tests/races tests/simulation --all-faults $(ARGS)

fuzz: .venv/.tests
	@exec .venv/bin/python -m pytest tests/durable_ops/api/test_schemathesis.py --all-faults $(ARGS)

approvals: .venv/.tests browser
	@.venv/bin/python -m pytest tests/approvals/test_latency.py --all-faults $(ARGS)
	@RACES=10000 exec .venv/bin/python -m pytest -n 2 --dist worksteal tests/approvals tests/browser/test_approvals.py \
		tests/races/test_callback_against_timeout.py --deselect tests/approvals/test_latency.py --all-faults $(ARGS)

conformance: .venv/.tests
	@exec .venv/bin/python -m tests.conformance.outside $(ARGS)

screenshots: .venv/.tests browser
	@exec .venv/bin/python -m tests.browser.tour $(ARGS)

bench: .venv-bench/.installed
	@exec .venv-bench/bin/python -m tests.benchmarks $(ARGS)

checkpoints: .venv/.tests
	@exec .venv/bin/python -m tests.benchmarks.checkpoints $(ARGS)

pages: .venv/.tests
	@exec .venv/bin/python -m tests.benchmarks.pages $(ARGS)

polling: .venv/.tests
	@exec .venv/bin/python -m tests.benchmarks.polling $(ARGS)

.venv/.installed: requirements.txt
	$(call environment,.venv,-r requirements.txt)

.venv/.tests: requirements.txt tests/requirements.txt
	$(call environment,.venv,-r requirements.txt -r tests/requirements.txt)
	@touch .venv/.installed

.venv-bench/.installed: requirements.txt tests/benchmarks/requirements.txt
	$(call environment,.venv-bench,-r requirements.txt -r tests/benchmarks/requirements.txt)

# $(1) is the virtual environment, $(2) what to install. Its stamp is the target.
define environment
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed (none found on PATH; set PYTHON=/path/to/python)."; exit 1; }
	@if [ ! -x $(1)/bin/python ]; then echo "Making $(1)"; \
		if [ -n "$(UV)" ]; then "$(UV)" venv --quiet --python "$(PYTHON)" $(1); \
		elif ! $(PYTHON) -m venv $(1) > /tmp/venv.$$$$ 2>&1; then rm -rf $(1); \
			echo "Making a virtual environment failed; on Debian: apt-get install python3-venv"; tail -3 /tmp/venv.$$$$; rm -f /tmp/venv.$$$$; exit 1; \
		else rm -f /tmp/venv.$$$$; fi; fi
	@echo "Installing $(2) into $(1)"
	@if [ -n "$(UV)" ]; then "$(UV)" pip install --quiet --python $(1)/bin/python $(2); \
	else $(1)/bin/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore $(2); fi
	@touch $@
endef

# The browser tests drive the system's Chromium, or the one of `playwright install`.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| ls -d "$${PLAYWRIGHT_BROWSERS_PATH:-$$HOME/.cache/ms-playwright}"/chromium* >/dev/null 2>&1 \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing chromium" \
		&& { apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1 \
			|| { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; }; }; } \
	|| { echo "The browser tests need Chromium: install the package chromium (as root), or run .venv/bin/playwright install chromium."; exit 1; }

# Handlers written for AWS's JavaScript SDK run in a Node of their own, from npm, whatever the machine has.
node: .node/.installed
.node/.installed: tests/node/package.json tests/node/package-lock.json
	@command -v npm >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing npm" \
		&& { apt-get install -y -qq --no-install-recommends npm >/dev/null 2>&1 \
			|| { apt-get update -qq && apt-get install -y -qq --no-install-recommends npm >/dev/null; }; }; } \
	|| { echo "The tests of handlers in Node need npm: install the package npm (as root)."; exit 1; }
	@echo "Installing AWS's JavaScript SDK and Node into .node"
	@mkdir -p .node && cp tests/node/package.json tests/node/package-lock.json .node/
	@npm ci --prefix .node --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

clean:
	rm -rf .venv .venv-bench .node staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
