# The commands people type. What they do stands in deploy/dev/.

.DEFAULT_GOAL := help
.PHONY: help demo test check fix serve web bench sqlx reference

help: ## Show these commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-8s %s\n' "$$name" "$$text"; done

demo: ## Install what is missing, start everything, build an image (ONCE=1: stop afterwards; RELEASE=1: optimised)
	@deploy/dev/demo.sh

test: ## Run every check and test
	@deploy/dev/test.sh

check: ## Check formatting and lints alone
	@deploy/dev/test.sh static

fix: ## Format, and apply the lints' own suggestions
	@deploy/dev/install.sh rust
	SQLX_OFFLINE=true cargo clippy --fix --allow-dirty --allow-staged --all-targets
	cargo fmt

serve: ## Serve with the configuration of the environment (IMAGE_FACTORY_*)
	cargo run --locked -- serve

web: ## Build the web app into web/dist, from where the binary takes it
	@deploy/dev/web.sh

bench: ## Measure, on a PostgreSQL that flushes its commits (SUBJECT=queue: that alone)
	@deploy/dev/install.sh rust run
	SQLX_OFFLINE=true deploy/dev/postgres.sh --durable cargo bench --locked --bench bench -- $(SUBJECT)

sqlx: ## Describe the changed SQL for builds without a database (.sqlx)
	@deploy/dev/install.sh rust run
	@deploy/dev/postgres.sh deploy/dev/sqlx.sh

reference: ## Write the references that are made from the source (docs/reference)
	SQLX_OFFLINE=true cargo run --locked --quiet -- config reference > docs/reference/configuration.md
	SQLX_OFFLINE=true cargo run --locked --quiet -- openapi > docs/reference/openapi.json
	@deploy/dev/web.sh install
	npm --prefix web run gen:api
