# make demo and make test each work as the first command on a bare Debian
# machine with Go: they install what they need.

GO ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME ?= 30s

# Threads of OpenMP that spin for long slow down everything beside them; the
# program sets this for itself (cmd/pptsn/openmp_linux.go).
test race: export GOMP_SPINCOUNT ?= 1000

.PHONY: help setup build torch demo test race lint bench study fuzz clean

help: ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

setup: ## install all that build, tests and benchmarks need
	@scripts/setup.sh bench
	@scripts/torch.sh
	@scripts/fetch-onnxruntime.sh

build: ## bin/pptsn
	@scripts/setup.sh build
	$(GO) build -o bin/pptsn ./cmd/pptsn

torch: ## libtorch and what binds it, for `pptsn train` (LIBTORCH=folder: a libtorch of your own)
	@scripts/setup.sh torch
	@scripts/torch.sh

demo: ## train a small network on clips made by ffmpeg, test, export, say what an unseen clip shows
	@scripts/setup.sh demo
	@scripts/torch.sh
	@scripts/demo.sh

test: ## vet, all tests, and the concurrent ones under the race detector
	@scripts/setup.sh test
	@scripts/torch.sh
	@scripts/fetch-onnxruntime.sh || echo "test: without ONNX Runtime its tests are skipped" >&2
	$(GO) vet ./...
	$(GO) test -timeout 25m ./...
	$(MAKE) --no-print-directory race

race:
	$(GO) test -race -timeout 25m -run 'Concurrent|Goroutines|Cancel' ./...

lint: ## gofmt, go vet, staticcheck (see CONTRIBUTING.md)
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "gofmt would change: $$unformatted" >&2; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

bench: setup ## figures beside their peers, in the same run
	GOMP_SPINCOUNT=1000 $(GO) test -run '^$$' -bench PredictMany -benchtime 1x -timeout 60m ./bench
	$(GO) test -run '^$$' -bench . -skip PredictMany -benchtime 1x -timeout 60m ./bench ./video ./clip ./frame ./pdparams ./dataset

study: build torch ## docs/accuracy.md anew, over hours: what PP-TSN's parts are worth (STUDY='-data CLIPS -only tsn,pptsn')
	$(GO) run ./study run $(STUDY)
	$(GO) run ./study table $(STUDY)

fuzz: ## every fuzz test for FUZZTIME (30s)
	@scripts/fuzz.sh $(FUZZTIME)

clean: ## remove what was built or fetched
	rm -rf bin .cache inference output
