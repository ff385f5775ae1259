#!/usr/bin/env bash
# Installs what is missing, builds the binary, and starts the demo: `image-factory dev --demo`.
#
#   ONCE=1      stop when the demo's build has ended; the exit code tells how
#   RELEASE=1   an optimised binary, which takes some minutes longer to compile
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() {
    echo "demo: $*" >&2
    exit 1
}

deploy/dev/install.sh rust run

# Builds run in namespaces of their own; some hosts and containers forbid that.
if [ "$(id -u)" -eq 0 ]; then
    unshare --mount --pid --net --fork true 2>/dev/null ||
        fail "this machine refuses namespaces, which builds need: in a container, run it privileged"
else
    unshare --user --map-root-user --mount --pid --net --fork true 2>/dev/null ||
        fail "this machine refuses user namespaces, which builds need: run as root, or allow them by sysctl"
fi

export SQLX_OFFLINE=true
profile=()
[ "${RELEASE-}" != 1 ] || profile=(--release)
arguments=(dev --demo)
[ "${ONCE-}" != 1 ] || arguments+=(--once)

deploy/dev/web.sh
echo "compiling (the first time takes some minutes)"
cargo build --locked --quiet --bin image-factory "${profile[@]}"
# cargo gives way to the binary, so signals and the exit code are the binary's own.
exec cargo run --locked --quiet --bin image-factory "${profile[@]}" -- "${arguments[@]}"
