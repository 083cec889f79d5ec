# Gantry. `make run` sets everything up and runs the first container; `make test` sets everything up and tests.

PREFIX ?= /usr/local
SYSTEMD ?= /etc/systemd/system
SOURCES := $(shell find cmd src tools/build.ts package.json -name '*.ts' -o -name package.json 2>/dev/null)

.PHONY: help run build stop install uninstall test ok test-vm test-reference soak bench setup clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing (apt packages, npm packages)
	@tools/setup.sh run

run: dist/gantry ## Set up, start the daemon, make the busybox image, run a container
	@tools/run.sh

build: dist/gantry ## Make the one executable, dist/gantry

dist/gantry: $(SOURCES)
	@tools/setup.sh run
	@node_modules/.bin/bun tools/build.ts

stop: ## End the daemon that `make run` started
	@tools/stop.sh

install: dist/gantry ## Install the executable and the systemd units (PREFIX, SYSTEMD)
	install -D -m 0755 dist/gantry $(DESTDIR)$(PREFIX)/bin/gantry
	install -D -m 0644 packaging/gantry.service $(DESTDIR)$(SYSTEMD)/gantry.service
	install -D -m 0644 packaging/gantry.socket $(DESTDIR)$(SYSTEMD)/gantry.socket
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/doc/gantry LICENSE NOTICE
	@sed -i 's#@PREFIX@#$(PREFIX)#' $(DESTDIR)$(SYSTEMD)/gantry.service
	@echo 'Installed. With systemd: systemctl daemon-reload && systemctl enable --now gantry.socket'

uninstall: ## Remove what install put in place
	rm -f $(DESTDIR)$(PREFIX)/bin/gantry $(DESTDIR)$(SYSTEMD)/gantry.service $(DESTDIR)$(SYSTEMD)/gantry.socket
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/gantry

test: ## Set up and run all tests; the last line counts them
	@tools/setup.sh test
	@$(MAKE) --no-print-directory dist/gantry
	@node_modules/.bin/bun tools/test.ts

ok: ## Format, lint, types, unit and architecture tests; under a minute, no root
	@tools/setup.sh check
	@node_modules/.bin/bun run ok

test-reference: ## Run the API tests against the reference engine (tests the tests)
	@tools/setup.sh test
	@node_modules/.bin/bun tools/test-reference.ts

test-vm: ## Run tests in a virtual machine with cgroup v2 and AppArmor (VM='--kernel 6.12 tests/e2e/run')
	@tools/setup.sh vm
	@$(MAKE) --no-print-directory dist/gantry
	@node_modules/.bin/bun tools/vm/run.ts $(VM)

soak: dist/gantry ## Long forms of the reliability tests (10,000 short runs and more)
	@tools/setup.sh test
	@node_modules/.bin/bun tests/soak/run.ts

bench: dist/gantry ## Measure against the reference engine, A B A B; then start 1,000 containers
	@tools/setup.sh test
	@node_modules/.bin/bun bench/run.ts
	@node_modules/.bin/bun bench/scale.ts

clean: ## Remove build results
	rm -rf dist coverage
