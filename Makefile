# Culver: build, try, test, measure, install. `make help` lists the targets.
#
# Everything works from a fresh clone on Debian 12, as root, with Swift 6.3 on PATH.

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR    ?=
SWIFT      ?= swift
JOBS       ?=

RELEASE = $(SWIFT) build -c release --static-swift-stdlib

.PHONY: help deps build demo quick test suite corpus fuzz lint bench install clean

help:
	@echo 'make demo    build, start a throw-away server on 127.0.0.1, deliver three messages, read one back over IMAPS'
	@echo 'make test    every test: formatting, units, the whole suite with real clients (as root)'
	@echo 'make quick   the unit tests only'
	@echo 'make suite   the suite tests only, on the release build (TESTS="name …" picks some)'
	@echo 'make corpus  compare ENVELOPE and BODYSTRUCTURE of 3,000 messages with what Dovecot says (COUNT=n, SEED=n; as root)'
	@echo 'make fuzz    mutate inputs of every reader of foreign bytes (TARGET=name picks one, SECONDS=n each)'
	@echo 'make bench   measure side by side with the Dovecot of Debian'
	@echo 'make build   the release build'
	@echo 'make install DESTDIR= PREFIX=$(PREFIX) SYSCONFDIR=$(SYSCONFDIR)'
	@echo 'make deps    install the Debian packages that are missing'

deps:
	@tools/deps.sh build test

build:
	@tools/deps.sh build
	$(RELEASE)

demo: build
	@tools/deps.sh demo
	@tools/users.sh
	@tools/demo.sh

quick:
	@tools/deps.sh build
	$(SWIFT) test

lint:
	$(SWIFT) format lint --strict --recursive Sources Tests Package.swift

test:
	@SWIFT='$(SWIFT)' JOBS='$(JOBS)' tools/test.sh

suite: build
	@tools/deps.sh test
	@tools/users.sh
	@python3 Tests/SuiteTests/run.py $(if $(JOBS),--jobs $(JOBS)) $(TESTS)

corpus: build
	@tools/deps.sh bench
	@tools/users.sh
	@python3 Tests/SuiteTests/compare.py '$(or $(COUNT),3000)' '$(or $(SEED),1)'

# A package and a build directory of its own: everything is instrumented.
fuzz:
	@tools/deps.sh build
	$(SWIFT) build -c release --package-path Tests/Fuzz --scratch-path .build-fuzz -Xswiftc -sanitize=fuzzer,address -Xcc -fsanitize=address
	@python3 Tests/Fuzz/run.py .build-fuzz/release/fuzz .build-fuzz '$(or $(SECONDS),5)' $(TARGET)

bench: build
	@tools/deps.sh bench
	@tools/users.sh
	@python3 bench/run.py $(BENCH)

install:
	@tools/install.sh '$(DESTDIR)' '$(PREFIX)' '$(SYSCONFDIR)'

clean:
	rm -rf .build .build-fuzz .demo
