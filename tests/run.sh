#!/bin/bash
# Runs test suites and adds up what they report. Usage: tests/run.sh LOGDIR NAME=COMMAND...
# A suite is a cmocka program ("[  PASSED  ] N test(s)") or a script whose last matching line is "N passed, N failed[, N
# skipped]"; one that reports neither counts as one test, by its exit code. Logs of failed suites are printed.
set -u

logs=$1
shift
mkdir -p "$logs"
passed=0 failed=0 skipped=0
for suite in "$@"; do
    name=${suite%%=*} command=${suite#*=}
    log=$logs/$name.log
    start=$SECONDS
    bash -c "$command" >"$log" 2>&1 </dev/null
    code=$?
    summary=$(grep -aE '^([A-Za-z_/-]+: )?[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    if [ -n "$summary" ]; then
        p=$(sed -E 's/.*(^| )([0-9]+) passed.*/\2/' <<<"$summary")
        f=$(sed -E 's/.* ([0-9]+) failed.*/\1/' <<<"$summary")
        s=$(sed -nE 's/.* ([0-9]+) skipped.*/\1/p' <<<"$summary")
    else
        # cmocka prints one PASSED and, on failure, one FAILED line per group
        p=$(sed -nE 's/^\[  PASSED  \] ([0-9]+) test.*/\1/p' "$log" | paste -sd+ | bc)
        f=$(sed -nE 's/^\[  FAILED  \] ([0-9]+) test.*/\1/p' "$log" | paste -sd+ | bc)
        s=$(sed -nE 's/^\[  SKIPPED \] ([0-9]+) test.*/\1/p' "$log" | paste -sd+ | bc)
        if [ -z "$p$f" ]; then
            p=$((code == 0)) f=$((code != 0))
        fi
    fi
    p=${p:-0} f=${f:-0} s=${s:-0}
    [ "$code" -ne 0 ] && [ "$f" -eq 0 ] && f=1
    printf '%-28s %5d passed %3d failed %3d skipped %5d s\n' "$name" "$p" "$f" "$s" $((SECONDS - start))
    [ "$f" -ne 0 ] && { echo "---- $log"; tail -n 60 "$log"; echo "----"; }
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed$( ((skipped)) && echo ", $skipped skipped")"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
