#!/usr/bin/env bash
# Fuzzes what reads the bytes of strangers: every target of tests/fuzz for some seconds, from its seeds on. What makes a
# target fail is left in tests/fuzz/artifacts.
#
#   fuzz.sh [SECONDS] [TARGET...]     5 seconds for each of all targets
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-5}
[ $# -eq 0 ] || shift
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(basename -s .rs -a tests/fuzz/targets/*.rs)
fi

# The sanitizers need a nightly compiler; safe Rust has little for them to find. Coverage is instrumented without.
options=(--fuzz-dir tests/fuzz --dev --sanitizer none)
for target in "${targets[@]}"; do
    mkdir -p "tests/fuzz/corpus/$target"
    cargo fuzz run "${options[@]}" "$target" "tests/fuzz/corpus/$target" "tests/fuzz/seeds/$target" -- \
        -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=5 -print_final_stats=1
done
