#!/usr/bin/env bash
# Every check of the project. The last line counts them: `N passed, N failed`.
#
#   test.sh          everything
#   test.sh static   what needs neither a database nor a run: formatting and lints
set -uo pipefail
cd "$(dirname "$0")/../.."

needs=(rust)
[ "${1-}" = static ] || needs+=(run test)
deploy/dev/install.sh "${needs[@]}" || exit 1

# SQL is checked against the committed .sqlx, whose currency is a test of its own.
export SQLX_OFFLINE=true CARGO_TERM_COLOR=never CARGO_TERM_PROGRESS_WHEN=never
unset DATABASE_URL

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
passed=0
failed=0
failures=()

# `run NAME COMMAND...` reports on one line. The command's output is kept for the end, should it fail.
run() {
    local name=$1 begin=$SECONDS
    shift
    printf '%-14s ' "$name"
    if "$@" >"$logs/$name" 2>&1 </dev/null; then
        printf 'ok      %4d s' $((SECONDS - begin))
        return 0
    fi
    printf 'FAILED  %4d s' $((SECONDS - begin))
    failures+=("$name")
    return 1
}

check() {
    if run "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
    echo
}

# `tests NAME REPORT COMMAND...`: the tests count one by one, from the JUnit report that the command leaves; one that fails
# without failed tests counts once.
tests() {
    local name=$1 report=$2 attribute total broken=0 outcome=0
    shift 2
    rm -f "$report"
    run "$name" "$@" || outcome=1
    total=$(sed -n 's/^<testsuites .* tests="\([0-9]*\)".*/\1/p' "$report" 2>/dev/null)
    for attribute in failures errors; do
        broken=$((broken + $(sed -n "s/^<testsuites .* $attribute=\"\([0-9]*\)\".*/\1/p" "$report" 2>/dev/null || echo 0)))
    done
    if [ -n "$total" ]; then
        passed=$((passed + total - broken))
        failed=$((failed + broken))
        printf '  %s of %s' $((total - broken)) "$total"
    fi
    [ $outcome -eq 0 ] || [ $broken -gt 0 ] || failed=$((failed + 1))
    echo
}

check formatting cargo fmt --check -- --color never
check lints cargo clippy --locked --all-targets -- -D warnings
deploy/dev/web.sh install || exit 1
check web-lints npm --prefix web run lint
check web-types npm --prefix web run typecheck
check web-api npm --prefix web run gen:api -- --check
if [ "${1-}" != static ]; then
    if cargo deny --version >/dev/null 2>&1; then
        check dependencies cargo deny --offline check bans licenses sources
    fi
    check web-build deploy/dev/web.sh
    check web-budget npm --prefix web run budget
    tests web-tests "$logs/vitest.xml" \
        npm --prefix web test -- --reporter=junit --outputFile="$logs/vitest.xml"
    tests tests target/nextest/default/junit.xml deploy/dev/postgres.sh cargo nextest run --locked
    check fuzzing deploy/dev/fuzz.sh
    cargo build --locked --quiet --bin image-factory 2>/dev/null
    PLAYWRIGHT_JUNIT_OUTPUT_NAME="$logs/playwright.xml" tests web-e2e "$logs/playwright.xml" \
        npm --prefix web run e2e -- --reporter=junit
fi

for name in "${failures[@]}"; do
    printf '\n======== %s\n' "$name"
    cat "$logs/$name"
done
[ ${#failures[@]} -eq 0 ] || echo
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
