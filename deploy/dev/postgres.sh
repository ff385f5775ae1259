#!/usr/bin/env bash
# Runs a command beside a private PostgreSQL and stops the server when the command ends, however it ends.
#
#   postgres.sh [--durable] COMMAND [ARGUMENT...]
#
# The command finds the server in IMAGE_FACTORY_TEST_DATABASE_URL. Its data lives in a temporary folder; a server that
# the machine runs is never touched. Commits are not flushed to disk, unless --durable.
set -euo pipefail

settings=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off)
if [ "${1-}" = --durable ]; then
    settings=()
    shift
fi

bin=$(find /usr/lib/postgresql/*/bin -maxdepth 1 -name initdb 2>/dev/null | sort -V | tail -n 1)
bin=${bin%/initdb}
if [ -z "$bin" ]; then
    echo "postgres: no PostgreSQL is installed: run deploy/dev/install.sh" >&2
    exit 1
fi

# Out of the working copy: the server's user may not be allowed to look into it.
folder=$(mktemp -d "${TMPDIR:-/tmp}/image-factory-postgres.XXXXXX")
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
server=

stop() {
    trap - EXIT
    if [ -n "$server" ]; then
        kill -INT "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap stop EXIT
# The command in the foreground has had the signal too; EXIT stops the server.
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# PostgreSQL refuses to run as root, and goes when this script is killed.
as_server=(setpriv --pdeathsig INT)
if [ "$(id -u)" -eq 0 ]; then
    as_server+=(--reuid postgres --regid postgres --init-groups)
    install -d -o postgres -g postgres -m 700 "$folder/data"
else
    install -d -m 700 "$folder/data"
fi
chmod 711 "$folder"
printf '%s\n' "$password" >"$folder/password"
[ "$(id -u)" -ne 0 ] || chown postgres "$folder/password"
chmod 600 "$folder/password"

if ! "${as_server[@]}" "$bin/initdb" -D "$folder/data" -U postgres -A scram-sha-256 --pwfile="$folder/password" \
    -E UTF8 --locale=C --no-sync >"$folder/initdb.log" 2>&1; then
    cat "$folder/initdb.log" >&2
    exit 1
fi

# Asks its own file, not the port, where another server might answer.
started() {
    local _
    for _ in $(seq 300); do
        kill -0 "$server" 2>/dev/null || return 1
        ! grep -qs '^ready' "$folder/data/postmaster.pid" || return 0
        sleep 0.1
    done
    return 1
}

# Nobody can reserve a port for another process, so a taken one costs a further try.
for _ in 1 2 3 4 5; do
    port=$((15000 + RANDOM % 15000))
    "${as_server[@]}" "$bin/postgres" -D "$folder/data" -p "$port" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c max_connections=300 "${settings[@]}" >"$folder/server.log" 2>&1 </dev/null &
    server=$!
    if started; then
        break
    fi
    kill -KILL "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
done
if [ -z "$server" ]; then
    cat "$folder/server.log" >&2
    exit 1
fi

export IMAGE_FACTORY_TEST_DATABASE_URL="postgres://postgres:$password@127.0.0.1:$port/postgres"
code=0
"$@" || code=$?
exit "$code"
