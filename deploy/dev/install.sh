#!/usr/bin/env bash
# Installs what is named and this machine lacks. Says nothing when nothing is missing.
#
#   install.sh [run] [test] [rust]
#
#   run    what the product runs with
#   test   what its tests need besides
#   rust   a linker, and the tools that come with Rust
#
# Packages are Debian 12's own, whose release pins their versions; what cargo installs is pinned here.
set -euo pipefail

nextest_version=0.9.143
fuzz_version=0.13.2

run=(
    buildah          # builds images
    busybox-static   # the demo's base image
    ca-certificates  # HTTPS to Git hosts and registries
    git              # clones sources
    openssh-client   # clones by SSH
    postgresql-15    # the database; only its binaries are used
    skopeo           # copies images
    uidmap           # user namespaces
    util-linux       # unshare, setpriv
)
test=(
    chromium          # the web app's tests
    docker-registry   # what a cache is a cache of
    fonts-dejavu-core # what it writes with
    netavark          # podman's network
    podman            # the second client that pulls from the registry
)
rust=(gcc g++ libc6-dev)

fail() {
    echo "install: $*" >&2
    exit 1
}

missing_packages() {
    local package
    for package in "${packages[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done
}

# Runs a command without its output, which is shown only when it fails.
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        fail "failed: $*"
    fi
    rm -f "$log"
}

install_packages() {
    local root=() cluster=/etc/postgresql-common/createcluster.d/zz-image-factory.conf
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "as root, run: apt-get install --no-install-recommends $*"
        root=(sudo)
    fi
    echo "installing: $*"
    # Debian would make and start a cluster of its own; only the binaries are wanted.
    "${root[@]}" mkdir -p "${cluster%/*}"
    echo 'create_main_cluster = false' | "${root[@]}" tee "$cluster" >/dev/null
    # shellcheck disable=SC2064
    trap "${root[*]} rm -f $cluster" EXIT
    # `env`, because sudo drops the variable.
    quietly "${root[@]}" apt-get update -q
    quietly "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "$@"
    "${root[@]}" rm -f "$cluster"
    trap - EXIT
}

install_components() {
    command -v cargo >/dev/null || fail "Rust is missing: install rustup, then run this again"
    local component missing=()
    for component in fmt clippy; do
        cargo "$component" --version >/dev/null 2>&1 || missing+=("$component")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        command -v rustup >/dev/null || fail "the Rust toolchain lacks: ${missing[*]}"
        quietly rustup component add "${missing[@]/fmt/rustfmt}"
    fi
}

# `install_command NAME VERSION`: a command of cargo.
install_command() {
    if ! cargo "$1" --version >/dev/null 2>&1; then
        echo "installing: cargo-$1 $2 (takes some minutes, once)"
        quietly cargo install --locked "cargo-$1" --version "$2"
    fi
}

packages=()
for what in "$@"; do
    case $what in
        run) packages+=("${run[@]}") ;;
        test) packages+=("${test[@]}") ;;
        rust) command -v c++ >/dev/null || packages+=("${rust[@]}") ;;
        *) fail "there is nothing called $what: run, test, rust" ;;
    esac
done
command -v dpkg-query >/dev/null || fail "this is not Debian; by its own means, install: ${packages[*]}"
mapfile -t missing < <(missing_packages)
[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
[[ " $* " != *" rust "* ]] || install_components
if [[ " $* " == *" test "* ]]; then
    install_command nextest "$nextest_version"
    install_command fuzz "$fuzz_version"
fi
