# pve-authenticator. `make help` says what there is.

BUILD := build
NODE_MODULES := node_modules/.package-lock.json
ADDON := native/addon/build/Release/pve_authenticator.node
ADDON_SOURCES := $(wildcard native/addon/*.cc native/addon/*.h native/addon/binding.gyp)
MODULE_SOURCES := $(wildcard native/pam/*)
# What is installed: each program in one file (docs/explanation/packages.md).
BUNDLED := reader command
DAEMON_SOURCES := $(shell find src -name '*.ts' -o -name '*.cts') scripts/ascii.js tsconfig.json tsconfig.build.json
NODE_BIN := node_modules/.bin
# ffi-rs has native code: it is installed beside the command.
BUNDLE := $(NODE_BIN)/rolldown --platform node --logLevel warn --external ffi-rs --no-codeSplitting
# What npm would otherwise download: nothing is fetched but the packages of the lock file.
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund

RUN_TESTS := $(BUILD)/run-tests.js
# Under sudo, what is built belongs to the owner of the checkout.
AS_OWNER := ./scripts/as-owner

.DEFAULT_GOAL := help
.PHONY: help deps deps-nodes build native-pam addon daemon lint format test test-all test-full durations fuzz demo bench soak deb install uninstall clean

help:
	@echo 'make deps       install the Debian packages (as root) and the npm packages that building needs; says how much first'
	@echo 'make build      build the PAM module, the addon, the daemon and the command'
	@echo 'make test       build, and run what ./scripts/test has: some minutes'
	@echo 'make test-all   lint, build and run all tests, with reduced rounds'
	@echo 'make test-full  the same with full rounds and the long soaks: some hours'
	@echo 'make durations LOG=FILE  learn from the output of ./scripts/test how long each part takes'
	@echo 'make fuzz       fuzz the PAM module for FUZZ_SECONDS (60), and count the lines that this reached'
	@echo 'make demo       a real SSH login with the second factor (as root in a throw-away copy: scripts/demo)'
	@echo 'make bench      compare with pam_google_authenticator and pam_oath (as root, a quarter of an hour)'
	@echo 'make soak       logins for SOAK_SECONDS (300) while the daemon is killed, stopped, flooded, its disk full (in a copy: scripts/soak)'
	@echo 'make install    as root, after make build: put everything into place (docs/guides/install.md)'
	@echo 'make deb        build the Debian package into build/deb (as root in a throw-away copy: scripts/make-deb)'
	@echo 'make uninstall  take it away again; the factors stay'
	@echo 'make lint       check types, rules and format'
	@echo 'make format     mend the format'
	@echo 'make clean      remove what was built'

deps: $(NODE_MODULES)

$(NODE_MODULES): package.json package-lock.json
	./scripts/install-packages build node
	$(AS_OWNER) $(NPM_CI)
	@$(AS_OWNER) touch $@

# Node 22 and 24 for the unit tests; the packages are for x86-64 only.
deps-nodes:
	cd test/nodes && $(NPM_CI) --force

build: native-pam addon daemon

native-pam:
	$(AS_OWNER) $(MAKE) -C native/pam BUILD=$(abspath $(BUILD))
	$(AS_OWNER) $(MAKE) -C native/probe BUILD=$(abspath $(BUILD))
	$(AS_OWNER) $(MAKE) -C native/rehearse BUILD=$(abspath $(BUILD))

addon: $(ADDON)

$(ADDON): $(ADDON_SOURCES) $(NODE_MODULES)
	$(AS_OWNER) $(NODE_BIN)/node-gyp rebuild --silent --directory native/addon --nodedir="$$(./scripts/node-headers)"
	@$(AS_OWNER) touch $@

daemon: dist/built

dist/built: $(DAEMON_SOURCES) $(NODE_MODULES)
	$(AS_OWNER) $(NODE_BIN)/tsc -p tsconfig.build.json
	for program in $(BUNDLED); do \
		$(AS_OWNER) $(BUNDLE) --format esm dist/$$program/main.js --file dist/$$program/bundle.js >/dev/null || exit 1; \
	done
	$(AS_OWNER) $(BUNDLE) --format cjs dist/daemon/main.js --file dist/daemon/program.cjs >/dev/null
	$(AS_OWNER) ./scripts/ascii.js dist/daemon/program.cjs
	@$(AS_OWNER) touch $@

lint: $(NODE_MODULES)
	@echo 'Checking types, rules and format ...'
	$(NODE_BIN)/tsc --noEmit
	$(NODE_BIN)/eslint --max-warnings 0 --cache --cache-strategy content --cache-location $(BUILD)/eslint.json .
	$(NODE_BIN)/prettier --log-level warn --check --cache --cache-location $(BUILD)/prettier.json .

format: $(NODE_MODULES)
	$(NODE_BIN)/prettier --log-level warn --write .
	$(NODE_BIN)/eslint --fix .

$(RUN_TESTS): $(wildcard test/runner/*.ts) $(NODE_MODULES)
	$(BUNDLE) --format esm test/runner/main.ts --file $@ >/dev/null

test: build $(RUN_TESTS)
	node $(RUN_TESTS) default

test-all: lint build $(RUN_TESTS)
	node $(RUN_TESTS) all

test-full: lint build $(RUN_TESTS)
	node $(RUN_TESTS) full

# From the output of ./scripts/test: what the next run says about its own duration.
durations: $(RUN_TESTS)
	node $(RUN_TESTS) learn <$(LOG)

fuzz:
	@python3 -B test/fuzz/run.py $(abspath $(BUILD))

demo: build
	./scripts/demo-inside

bench: build
	$(MAKE) -C scripts/bench BUILD=$(abspath $(BUILD)) BASE=$(BENCH_BASE)
	./scripts/bench/run

deb:
	./scripts/make-deb

soak: build
	$(MAKE) -C test/native client BUILD=$(abspath $(BUILD))
	SOAK_SECONDS=$(or $(SOAK_SECONDS),300) node node_modules/vitest/vitest.mjs run --reporter=dot test/e2e/soak

# Variables of the command line, such as DESTDIR, reach the scripts by the environment.
install:
	./scripts/install

uninstall:
	./scripts/uninstall

clean:
	rm -rf $(BUILD) dist native/addon/build
