# What CI runs is `make ci`, which is `make test`.

GO      ?= go
TAGS    := invariants
# The vector forms of the kernels that need the toolchain's experiment.
SIMD    := $(if $(filter amd64,$(shell $(GO) env GOARCH)),simd)
BIN     := bin/flightd
PYTHON  ?= python3
VENV    := .venv
N       ?= 200
FUZZTIME ?= 20s

.PHONY: build test test-go test-long race lint fmt generate bench bench-peers bench-compare bench-scale bench-allocs fuzz stress crash difftest ci run golden clients clients-check clients-server clients-package clients-matrix clean

build: ## The one binary, static, into bin/.
	CGO_ENABLED=0 GOEXPERIMENT=$(SIMD) $(GO) build -trimpath -o $(BIN) ./cmd/flightd

ci: test

test: build ## Everything that must pass before a commit lands; the floors of golden are among the Go tests.
	$(GO) vet ./...
	$(GO) test -tags $(TAGS) -timeout 15m ./...
	$(MAKE) bench-allocs
	$(GO) test -tags $(TAGS) ./plan/sql -run '^$$' -fuzz '^FuzzParse$$' -fuzztime 60s -fuzzminimizetime 1s
	$(MAKE) clients

test-go:
	$(GO) test -tags $(TAGS) ./...

race: ## The tests under the race detector; slow.
	$(GO) test -race -tags $(TAGS) -timeout 40m ./...

test-long: test ## Hours, not minutes: more damage, more crashes, a real broker.
	$(GO) test -tags $(TAGS) -timeout 60m ./flight/guard -run TestMutants -mutants 1000000
	FLIGHTD_PAIRS=2000 $(GO) test -tags $(TAGS) -timeout 20m -v ./internal/metamorphic -run TestStreamsEqualBatches
	$(MAKE) crash N=2000
	FLIGHTD_CROWD=200 $(GO) test -timeout 10m -count 1 -v -run TestCrowd ./flight
	$(MAKE) fuzz FUZZTIME=5m
	$(MAKE) difftest QUERIES=20000
	$(GO) test -tags "$(TAGS) long" -timeout 60m ./...

# Of difftest: how many random queries, and from which seed.
QUERIES ?= 200
DIFFSEED ?= 1
DIFFENV := difftest/.venv

# -mod=mod: what the engine needs newly is not in the sums of this module yet.
difftest: $(DIFFENV)/.installed ## Random queries and TPC-H against DuckDB: QUERIES=20000 DIFFSEED=2. Needs a C compiler.
	cd difftest && $(GO) vet -mod=mod ./... && FLIGHTD_DIFF_QUERIES=$(QUERIES) FLIGHTD_DIFF_SEED=$(DIFFSEED) FLIGHTD_TPCHGEN=$(abspath $(DIFFENV))/bin/tpchgen-cli \
	  $(GO) test -mod=mod -count 1 -timeout 60m -v -run 'TestQueries|TestTPCH' .

$(DIFFENV)/.installed: difftest/requirements.txt
	$(PYTHON) -m venv $(DIFFENV)
	$(DIFFENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

lint: ## Formatting, vet, and the rules in internal/lint.
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet -tags $(TAGS) ./...
	$(GO) test ./internal/lint

fmt:
	gofmt -w $$(git ls-files '*.go')

generate:
	$(GO) generate ./...

# Parameters of bench and bench-peers: ROWS, ONLY=w2, FORM=a, PEERS=duckdb,polars,spark,flink,
# BENCHFLAGS for the rest (go run ./bench -help).
ROWS  ?= 10000000
ONLY  ?=
FORM  ?= a,b,c,m,l,s,f
PEERS ?= duckdb,polars,spark
PEERENV := bench/.venv-peers
FLINKENV := bench/.venv-flink
FLINKJARS := org/apache/flink/flink-sql-parquet/2.3.0/flink-sql-parquet-2.3.0.jar \
  org/apache/hadoop/hadoop-client-api/3.4.2/hadoop-client-api-3.4.2.jar org/apache/hadoop/hadoop-client-runtime/3.4.2/hadoop-client-runtime-3.4.2.jar

bench: ## Our own figures, short.
	GOEXPERIMENT=$(SIMD) $(GO) run -buildvcs=true ./bench -rows 2000000 -runs 3 -form "$(FORM)" -only "$(ONLY)" $(BENCHFLAGS)

bench-peers: $(PEERENV)/.installed $(if $(findstring flink,$(PEERS)),$(FLINKENV)/.installed) ## Side by side with PEERS, in turns.
	GOEXPERIMENT=$(SIMD) $(GO) run -buildvcs=true ./bench -rows $(ROWS) -form "$(FORM)" -only "$(ONLY)" -peers "$(PEERS)" $(BENCHFLAGS)

bench-compare: ## This tree beside revision BASE, in turns, as benchstat: BASE=main~5 ONLY=w2 FORM=a.
	@test -n "$(BASE)" || { echo 'BASE=<revision> is missing'; exit 1; }
	@dir=$$(mktemp -d) && trap 'git worktree remove --force $$dir/tree; rm -rf $$dir' EXIT && \
	git worktree add --quiet --detach $$dir/tree $(BASE) && \
	(cd $$dir/tree && GOEXPERIMENT=$(SIMD) $(GO) build -o $$dir/base ./bench) && \
	GOEXPERIMENT=$(SIMD) $(GO) run -buildvcs=true ./bench -rows 2000000 -runs 10 -form "$(FORM)" -only "$(ONLY)" -base $$dir/base -benchfmt $$dir $(BENCHFLAGS) && \
	$(GO) tool benchstat $$dir/base.txt $$dir/new.txt

bench-scale: ## One thread against two, and the cost of a row while rows and keys grow up to ROWS.
	GOEXPERIMENT=$(SIMD) $(GO) run -buildvcs=true ./bench -scale -rows $(ROWS) $(BENCHFLAGS)

bench-allocs: ## Allocations a row against their ceilings: the same on every machine.
	$(GO) test -count 1 ./bench/engine -run Allocations

$(FLINKENV)/.installed: bench/requirements-flink.txt bench/flink-jars.sha256
	$(PYTHON) -m venv $(FLINKENV)
	$(FLINKENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	mkdir -p $(FLINKENV)/jars
	cd $(FLINKENV)/jars && for jar in $(FLINKJARS); do curl -sSfO https://repo1.maven.org/maven2/$$jar; done && sha256sum --check ../../flink-jars.sha256
	touch $@

$(PEERENV)/.installed: bench/requirements-peers.txt
	$(PYTHON) -m venv $(PEERENV)
	$(PEERENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

fuzz: ## Every fuzz target for FUZZTIME.
	@for pkg in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -rhoE '^func Fuzz[A-Za-z0-9_]*' $$pkg/*_test.go | sed 's/^func //'); do \
	    echo "== $$pkg $$f"; \
	    $(GO) test -tags $(TAGS) $$pkg -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s || exit 1; \
	  done; done

stress: ## The tests over and over, in random order, with one, two and four processors.
	for p in 1 2 4; do GOMAXPROCS=$$p $(GO) test -tags $(TAGS) -count 3 -shuffle on ./... || exit 1; done

crash: ## Kill the engine N times with -9; no row may be lost or doubled.
	FLIGHTD_KILLS=$(N) $(GO) test -tags $(TAGS) -timeout 120m -count 1 -run Kill9 -v . ./flight

golden: ## Recordings of a real Spark; STREAMING=dir and SQL=dir play other folders.
	$(GO) run ./internal/golden/main $(if $(STREAMING),-streaming $(STREAMING)) $(if $(SQL),-sql $(SQL))

# Arrow's JDBC driver. Where there is no Java, or no way to Maven Central, it is not run, and that is said.
JDBC       := .clients/flight-sql-jdbc-driver-18.3.0.jar
JDBCSUM    := 3f418b46c880e263558c5de669bdbede2c5d4375527ced116fb29f795b03704c
# A client for Node, in the same way.
NODEDIR    := .clients/node
CLIENTSENV = FLIGHTD_BIN=$(abspath $(BIN)) FLIGHTD_JDBC=$(abspath $(JDBC)) FLIGHTD_NODE=$(abspath $(NODEDIR))/node_modules GO="$(GO)"

clients: build $(VENV)/.installed $(JDBC) $(NODEDIR)/.installed ## Real clients against the binary: what they can do is what docs/clients.md says.
	$(MAKE) -j2 --output-sync=target clients-check clients-server clients-package

clients-check:
	$(CLIENTSENV) $(VENV)/bin/python flight/testdata/clients/matrix.py
clients-server:
	$(CLIENTSENV) $(VENV)/bin/python -m unittest discover -s flight/testdata/python -v
clients-package:
	cd python && ../$(VENV)/bin/mypy
	$(CLIENTSENV) $(VENV)/bin/python -W error::ResourceWarning -m unittest discover -s python/tests -v

clients-matrix: build $(VENV)/.installed $(JDBC) $(NODEDIR)/.installed ## What each client can do, checked anew, into docs/clients.md.
	$(CLIENTSENV) $(VENV)/bin/python flight/testdata/clients/matrix.py --write

$(JDBC):
	@mkdir -p $(@D)
	@if ! command -v java > /dev/null; then echo '*** NO JAVA: the JDBC driver is not fetched and not run'; \
	elif curl -sSf --retry 2 -o $@.part https://repo1.maven.org/maven2/org/apache/arrow/flight-sql-jdbc-driver/18.3.0/$(@F) && \
	  echo '$(JDBCSUM)  $@.part' | sha256sum --check --quiet; then mv $@.part $@; \
	else rm -f $@.part; echo '*** NO DOWNLOAD: the JDBC driver is not run'; fi

# The versions and checksums of what it depends on are those of package-lock.json.
$(NODEDIR)/.installed: flight/testdata/clients/node/package.json flight/testdata/clients/node/package-lock.json
	@mkdir -p $(@D)
	@if ! command -v npm > /dev/null; then echo '*** NO NODE: its client is not fetched and not run'; \
	elif cp $^ $(@D) && (cd $(@D) && npm ci --silent --no-audit --no-fund); then touch $@; \
	else rm -rf $(@D); echo '*** NO DOWNLOAD: the client for Node is not run'; fi

$(VENV)/.installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

run: build ## Real flights, counted while you watch. Interrupt it, start it again: it goes on.
	@echo 'The result is the table hourly_departures, Parquet files under data/. Ask for it from another terminal:'
	@echo "  $(BIN) sql --connect grpc://127.0.0.1:8815 -c 'SELECT * FROM hourly_departures ORDER BY departures DESC LIMIT 10'"
	@$(BIN) serve --data data --script examples/flights/flights.sql --show-epochs

clean:
	rm -rf bin data $(VENV) .clients
