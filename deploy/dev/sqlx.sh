#!/usr/bin/env bash
# Writes .sqlx anew: what the database says of every statement in the source, for builds without a database.
# Runs beside a PostgreSQL: see `make sqlx`.
set -euo pipefail
cd "$(dirname "$0")/../.."

server=$IMAGE_FACTORY_TEST_DATABASE_URL
export DATABASE_URL=${server%/*}/image_factory_sqlx
psql -q "$server" -c 'create database image_factory_sqlx'
for migration in migrations/*.sql; do
    psql -q -1 -v ON_ERROR_STOP=1 -o /dev/null "$DATABASE_URL" -f "$migration"
done

written=$(mktemp -d)
trap 'rm -rf "$written"' EXIT
# The macros write when they are expanded, so both crates that hold statements are compiled again.
touch src/lib.rs tests/it/main.rs
SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$written cargo check --locked --quiet --all-targets

# Whatever is not written any more, is stale.
mkdir -p .sqlx
rm -f .sqlx/query-*.json
find "$written" -name 'query-*.json' -exec install -m 644 -t .sqlx {} +
echo "$(find .sqlx -name 'query-*.json' | wc -l) statements described in .sqlx"
