#!/bin/bash
# Command-line tests: runs every tests/cli/*/cmd in an empty scratch folder and compares what it prints and its exit
# code with the files beside it.
#
#   tests/cli/run.sh [--lutra PROGRAM] [--set-exact] [--keep] [TEST...]
#
# A test is a folder with a bash script `cmd`. It finds the program as `lutra`, the project's folder as $ROOT and its own
# as $HERE. Expected are stdout.exact, stderr.exact (not there: nothing is printed) and exit.exact (not there: 0).
# --set-exact rewrites them with what was seen: look at the difference before you commit it.
# Paths of the scratch folder and of the project are replaced by @SCRATCH@ and @ROOT@ before comparing.
# EXEC_PREFIX (e.g. 'valgrind -q') goes before every call of lutra.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
lutra=$root/build/lutra
set_exact=0
keep=0
tests=()

while [ $# -gt 0 ]; do
    case $1 in
    --lutra) lutra=$2; shift ;;
    --set-exact) set_exact=1 ;;
    --keep) keep=1 ;;
    -h | --help) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "run.sh: unknown option $1" >&2; exit 2 ;;
    *) tests+=("$(basename "$1")") ;;
    esac
    shift
done

lutra=$(realpath "$lutra") || exit 2
if [ ! -x "$lutra" ]; then
    echo "run.sh: $lutra: not a program; build it with make" >&2
    exit 2
fi
if [ ${#tests[@]} -eq 0 ]; then
    for f in "$here"/*/cmd; do tests+=("$(basename "$(dirname "$f")")"); done
fi

top=$(mktemp -d "${TMPDIR:-/tmp}/lutra_cli_XXXXXX")
if [ $keep -eq 0 ]; then trap 'rm -rf "$top"' EXIT; else echo "scratch folders: $top"; fi

mkdir "$top/bin"
# shellcheck disable=SC2016
printf '#!/bin/sh\nexec %s "%s" "$@"\n' "${EXEC_PREFIX:-}" "$lutra" > "$top/bin/lutra"
chmod +x "$top/bin/lutra"

# Replaces what differs from machine to machine.
normalise() {
    sed -e "s|$1|@SCRATCH@|g" -e "s|$root|@ROOT@|g"
}

# Compares $1 (seen) with $2 (expected file, may be missing); prints the difference.
same() {
    local want=$2
    [ -e "$want" ] || want=/dev/null
    diff -u --label "expected $(basename "$2")" --label seen "$want" "$1"
}

# Stores $1 as $2, or removes $2 if there is nothing to store.
store() {
    if [ -s "$1" ]; then cp "$1" "$2"; else rm -f "$2"; fi
}

failed=()
for t in "${tests[@]}"; do
    dir=$here/$t
    if [ ! -f "$dir/cmd" ]; then
        echo "FAIL $t: there is no $dir/cmd"
        failed+=("$t")
        continue
    fi
    work=$top/$t
    mkdir -p "$work/scratch"
    (
        cd "$work/scratch" || exit 99
        PATH=$top/bin:$PATH ROOT=$root HERE=$dir LC_ALL=C COLUMNS=100 ARGP_HELP_FMT='' \
            bash "$dir/cmd" > "$work/out" 2> "$work/err" < /dev/null
    )
    rc=$?
    normalise "$work/scratch" < "$work/out" > "$work/stdout"
    normalise "$work/scratch" < "$work/err" > "$work/stderr"
    if [ $rc -eq 0 ]; then : > "$work/exit"; else echo $rc > "$work/exit"; fi
    if [ $set_exact -eq 1 ]; then
        for what in stdout stderr exit; do store "$work/$what" "$dir/$what.exact"; done
        echo "set  $t"
        continue
    fi
    ok=1
    for what in stdout stderr exit; do same "$work/$what" "$dir/$what.exact" || ok=0; done
    if [ $ok -eq 1 ]; then
        echo "ok   $t"
    else
        echo "FAIL $t"
        failed+=("$t")
    fi
done

[ ${#failed[@]} -eq 0 ] || echo "failed: ${failed[*]}"
echo "cli: $((${#tests[@]} - ${#failed[@]})) passed, ${#failed[@]} failed"
[ ${#failed[@]} -eq 0 ]
