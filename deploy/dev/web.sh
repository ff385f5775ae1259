#!/usr/bin/env bash
# Installs the web app's packages and builds it into web/dist, as far as something has changed.
#
#   web.sh           both
#   web.sh install   the packages alone
set -euo pipefail
cd "$(dirname "$0")/../../web"

# Runs a command without its output, which is shown only when it fails.
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        echo "web: failed: $*" >&2
        exit 1
    fi
    rm -f "$log"
}

command -v npm >/dev/null || {
    echo "web: Node is missing: install Node 20 or newer with npm, then run this again" >&2
    exit 1
}
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
    echo "installing: the web app's packages"
    quietly npm ci --no-audit --no-fund
    touch node_modules/.package-lock.json
fi
[ "${1-}" != install ] || exit 0

changed=$(find src index.html public vite.config.ts tsconfig.json package-lock.json -newer dist/index.html 2>/dev/null |
    head -n 1) || true
if [ ! -f dist/index.html ] || [ -n "$changed" ]; then
    # The bundle is compiled into the binary; build.rs watches the folder once it is there.
    [ -d dist ] || touch ../build.rs
    quietly npm run build
fi
