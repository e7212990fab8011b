# Every target is a thin line over the lab's command line: `node lab <command>` does the same on any system.
# The first one installs the npm packages and, where Node is older than 26, uses the Node among them.

NODE ?= node
LAB = $(NODE) lab

# Options, as in `make up PROFILE=orders` or `make logs SERVICE=orders-receiver FOLLOW=1`.
up_options = $(if $(PROFILE),--profile $(PROFILE)) $(if $(RUNTIME),--runtime $(RUNTIME))
runtime_option = $(if $(RUNTIME),--runtime $(RUNTIME))
yes_option = $(if $(YES),--yes)
file_option = $(if $(FILE),--file $(FILE))
json_option = $(if $(JSON),--json)
loadtest_options = $(if $(SYSTEM),--system $(SYSTEM)) $(if $(EXPERIMENT),--experiment $(EXPERIMENT)) \
	$(if $(ENV),--env $(ENV)) $(foreach fault,$(FAULT),--fault $(fault)) $(if $(SET),--set "$(SET)") \
	$(if $(REPEAT),--repeat $(REPEAT)) $(if $(AGAINST),--against "$(AGAINST)") \
	$(if $(PRIMARY),--primary $(PRIMARY)) $(if $(MARKDOWN),--markdown)
model_options = $(if $(ARRIVALS),--arrivals $(ARRIVALS)) $(if $(SERVICE_SECONDS),--service $(SERVICE_SECONDS)) \
	$(if $(WORKERS),--workers $(WORKERS)) $(if $(FOR_SECONDS),--seconds $(FOR_SECONDS)) \
	$(if $(PAYMENT_LINES),--lines $(PAYMENT_LINES)) $(if $(MAX_WAIT),--max-wait $(MAX_WAIT)) \
	$(if $(MAX_DRAIN),--max-drain $(MAX_DRAIN)) $(if $(DRAIN_CAP),--drain-cap $(DRAIN_CAP)) $(if $(ENVIRONMENT),--environment $(ENVIRONMENT)) \
	$(if $(ORDERS_PER_MONTH),--orders-per-month $(ORDERS_PER_MONTH)) \
	$(if $(TASKS),--tasks $(TASKS)) $(if $(DURATION),--duration $(DURATION)) \
	$(if $(filter 0,$(FREE_TIER)),--no-free-tier,$(if $(FREE_TIER),--free-tier))
published_options = $(if $(SYSTEM),--system $(SYSTEM)) $(if $(EXPERIMENT),--experiment $(EXPERIMENT)) \
	$(if $(filter 0,$(CONTRADICTIONS)),--no-contradictions)

.DEFAULT_GOAL := help
.PHONY: help up demo status logs queue-depth scale redrive down clean doctor engine images images-save images-load loadtest compare calibrate \
	check-comparing model published test test-integration check coverage format bench node

##@ General

help: ## Print this list
	@bold=''; cyan=''; plain=''; \
	if [ -t 1 ] && [ -z "$$NO_COLOR" ]; then bold='\033[1m'; cyan='\033[36m'; plain='\033[0m'; fi; \
	awk -v bold="$$bold" -v cyan="$$cyan" -v plain="$$plain" 'BEGIN {FS = ":.*##"; \
	printf "Usage: make %s<target>%s [NAME=value]\n", cyan, plain} \
	/^[a-zA-Z_0-9-]+:.*##/ { printf "  %s%-17s%s %s\n", cyan, $$1, plain, $$2 } \
	/^##@/ { printf "\n%s%s%s\n", bold, substr($$0, 5), plain }' $(MAKEFILE_LIST)

##@ Lab

up: node ## Start the lab and wait until it is healthy: PROFILE=orders,bidding RUNTIME=compose|process BROKER=sns-sqs|bullmq JSON=1
	@$(LAB) up $(up_options) $(json_option)

demo: node ## Start the lab and take one real thing through each system, step by step: PROFILE=bidding
	@$(LAB) demo $(runtime_option)

status: node ## What runs, where, since when: JSON=1
	@$(LAB) status $(json_option)

logs: node ## The parts' logs: SERVICE=orders-receiver FOLLOW=1
	@$(LAB) logs $(SERVICE) $(if $(FOLLOW),--follow)

queue-depth: node ## How many orders are queued, once a second until Ctrl-C: FOR_SECONDS=60 JSON=1
	@$(LAB) queue-depth $(if $(FOR_SECONDS),--for $(FOR_SECONDS)) $(json_option)

scale: node ## Another number of workers for a running system: SYSTEM=orders WORKERS=20 JSON=1
	@$(LAB) scale $(if $(SYSTEM),--system $(SYSTEM)) $(if $(WORKERS),--workers $(WORKERS)) $(json_option)

redrive: node ## Send dead-lettered orders back to the queue: LIMIT=10 JSON=1
	@$(LAB) redrive $(if $(LIMIT),--limit $(LIMIT)) $(json_option)

down: node ## Stop the lab; data and logs stay: FORCE=1 also under an experiment
	@$(LAB) down $(if $(FORCE),--force) $(json_option)

clean: node ## Stop the lab and remove its data, logs and downloads; results stay: YES=1
	@$(LAB) clean $(yes_option)

doctor: node ## Check this machine for what the lab needs: JSON=1
	@$(LAB) doctor $(json_option)

##@ Containers

engine: node ## Install and start a Docker engine on Debian or Ubuntu; asks first: YES=1
	@$(LAB) engine $(yes_option)

images: node ## Build every image from packages, for machines without an image registry: FORCE=1 YES=1
	@$(LAB) images $(yes_option) $(if $(FORCE),--force)

images-save: node ## Write the lab's images to a file, for machines without a network: FILE=
	@$(LAB) images-save $(file_option)

images-load: node ## Read them from that file: FILE=
	@$(LAB) images-load $(file_option)

##@ Experiments

loadtest: node ## Run an experiment and judge it: SYSTEM= EXPERIMENT= SET="rate=50" REPEAT=5 AGAINST="rate=60" PRIMARY= FAULT=kill:orders-processor@3s MARKDOWN=1
	@$(LAB) loadtest $(loadtest_options) $(runtime_option) $(json_option)

compare: node ## Compare two runs, or sets of runs: A=results/… B=results/…, or RUNS=<set>; PRIMARY= JSON=1
	@$(LAB) compare $(if $(A),--a "$(A)") $(if $(B),--b "$(B)") $(if $(RUNS),--set $(RUNS)) \
	$(if $(PRIMARY),--primary $(PRIMARY)) $(json_option)

calibrate: node ## How small a difference comparisons show here, and how often they cry wolf: PAIRS=100 (an hour) JSON=1
	@$(LAB) calibrate $(if $(PAIRS),--pairs $(PAIRS)) $(if $(REPEAT),--repeats $(REPEAT)) \
	$(if $(SET),--set "$(SET)") $(json_option)

check-comparing: node ## Error rates of comparing, on 20,000 simulated pairs of each kind of noise
	@COMPARE_PAIRS=20000 $(LAB) test lab/test/compare/error-rates.test.ts

model: node ## Predict: WHAT=queue ARRIVALS=58 SERVICE_SECONDS=3 WORKERS=5, or WHAT=cost, or WHAT=break-even
	@$(LAB) model $(WHAT) $(model_options) $(json_option)

published: node ## What was published about the systems, and where it contradicts itself: SYSTEM=orders CONTRADICTIONS=0 JSON=1
	@$(LAB) published $(published_options) $(json_option)

##@ Development

test: node ## Every test that needs no Docker engine
	@$(LAB) test

test-integration: node ## The suites on real containers; needs a Docker engine
	@$(LAB) test-integration

check: node ## Lint and check the types
	@$(LAB) check

coverage: node ## Run the tests and measure what they cover
	@$(LAB) coverage

format: node ## Format the sources and mend what the linter can mend
	@$(LAB) format

bench: node ## Run the benchmarks, about ten minutes
	@$(LAB) bench

node:
	@command -v $(NODE) >/dev/null 2>&1 || { \
	echo "Error: there is no program named $(NODE)." >&2; \
	echo "  why: the lab's command line runs on Node 18 or later." >&2; \
	echo "  fix: install Node (https://nodejs.org or your package manager), or name it: make NODE=/path/to/node" >&2; \
	exit 5; }
