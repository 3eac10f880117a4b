#!/bin/sh
# Runs every test and ends with one line: "N passed, N failed".
set -u

cd "$(dirname "$0")/.." || exit 1
swift=${SWIFT:-swift}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0

say() { printf '\n== %s\n' "$*"; }
add() { passed=$((passed + $1)); failed=$((failed + $2)); }
finish() {
    # Once more at the end, where everybody looks first.
    [ ! -s "$scratch/failures" ] || { say 'Failed units' && head -n 60 "$scratch/failures"; }
    printf '\n%s passed, %s failed\n' "$passed" "$failed"
    [ "$failed" = 0 ]
    exit
}

say 'Packages and accounts'
if ! { tools/deps.sh build test && tools/users.sh; }; then
    add 0 1
    finish
fi

say 'Formatting'
if $swift format lint --strict --recursive Sources Tests Package.swift; then add 1 0; else add 0 1; fi

say 'Units'
# Bounded: a test that hangs must not take the whole run with it.
timeout -k 10 1200 $swift test > "$scratch/units" 2>&1
status=$?
# "Test run with 412 tests in 60 suites passed after 3.1 seconds." is what the runner ends with.
count=$(sed -n 's/.*Test run with \([0-9]*\) test.*/\1/p' "$scratch/units" | tail -n 1)
bad=$(grep '^✘ Test .* failed after' "$scratch/units" | grep -vc '^✘ Test run with')
if [ -n "$count" ] && [ "$count" -gt 0 ]; then
    [ "$status" = 0 ] || [ "$bad" -gt 0 ] || bad=1
    [ "$bad" -le "$count" ] || bad=$count
    add $((count - bad)) "$bad"
else
    bad=1
    add 0 1
fi
if [ "$bad" = 0 ]; then
    echo "$count passed"
else
    grep -E '^✘ Test|error:' "$scratch/units" > "$scratch/failures"
    cat "$scratch/failures"
    tail -n 30 "$scratch/units"
fi

say 'Release build'
if make --no-print-directory build > "$scratch/build" 2>&1; then
    add 1 0
    tail -n 1 "$scratch/build"
else
    tail -n 60 "$scratch/build"
    add 0 1
    finish
fi

say 'Suite'
python3 Tests/SuiteTests/run.py ${JOBS:+--jobs "$JOBS"} --summary "$scratch/suite"
if [ -s "$scratch/suite" ]; then
    read -r good bad < "$scratch/suite"
    add "$good" "$bad"
else
    add 0 1
fi
finish
