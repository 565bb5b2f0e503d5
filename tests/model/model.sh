#!/usr/bin/env bash
# model.sh: tries tests/model/view_change.pml in every order with Spin (`./run model` calls it).
#
#   model.sh                the proof, then what it must reach, then the mutants that it must find
#   model.sh --mutant NAME  this mutant alone, with its trail
#
# Exit status 0: the proof is complete and without error, every goal reached, every mutant found.
# CPU time and memory are bounded; a search that hits a bound is an error, not a proof.
set -u
cd "$(dirname "$0")/../.." || exit 2

model=$PWD/tests/model/view_change.pml
folder=$PWD/build/model
cpu_seconds=600
memory_mb=4096
goals="LAST_VIEW CARRIED EMPTY_SLOT OVERRULED CLOSED_SLOT"
mutants="SMALL_QUORUM TWO_CHANGES LOWEST_WINS LOCK_FORGOTTEN LOCK_VOLATILE VOTE_VOLATILE
    VIEW_VOLATILE ANY_PROPOSAL LATE_VOTE"

die() {
    echo "model: $*" >&2
    exit 1
}

# search NAME SPIN-FLAG COMPILER-FLAG: leaves its words in build/model/NAME/out, and a trail if any.
search() {
    local dir=$folder/$1
    rm -rf "$dir"
    mkdir -p "$dir"
    (
        cd "$dir" || exit 1
        spin -a $2 "$model" >spin.log 2>&1 &&
            "${CC:-gcc}" -O2 -w -DSAFETY -DNOREDUCE -DMEMLIM=$memory_mb $3 -o pan pan.c >cc.log 2>&1
    ) || {
        cat "$dir"/*.log >&2
        die "the model does not build"
    }
    (
        cd "$dir" || exit 1
        ulimit -t $cpu_seconds
        TIMEFORMAT=%U
        { time ./pan -m100000 -w24 >out 2>&1; } 2>cpu
    )
    cpu_used=$(tail -1 "$dir/cpu")
    grep -q '^State-vector' "$dir/out" || {
        cat "$dir/out" >&2
        die "the search of $1 was cut off (bounds: $cpu_seconds CPU-seconds, $memory_mb MiB)"
    }
}

# figure PATTERN NAME: the number that pan printed before these words.
figure() {
    sed -n "s/^ *\([0-9.e+]*\)[[:space:]]$1.*/\1/p" "$folder/$2/out" | head -1
}

violated() {
    grep -q 'errors: [1-9]' "$folder/$1/out"
}

completed() {
    grep -q 'errors: 0' "$folder/$1/out" &&
        ! grep -qE 'Search not completed|max search depth|out of memory' "$folder/$1/out"
}

# trail NAME: the steps to the violation.
trail() {
    (cd "$folder/$1" && ./pan -r ./*.trail 2>&1 |
        grep -E '^  validator|^pan:.*(assert|invalid)')
}

# prove NAME FLAGS TEXT
prove() {
    search "$1" "$2" ""
    if violated "$1"; then
        trail "$1"
        die "$3: VIOLATED, by the steps above"
    fi
    completed "$1" || {
        cat "$folder/$1/out" >&2
        die "$3: not completed"
    }
    printf '%-16s holds      %9s states %10s transitions %8s MiB %5s s  %s\n' "$1" \
        "$(figure 'states, stored' "$1")" "$(figure transitions "$1")" \
        "$(figure 'total actual memory' "$1")" "$cpu_used" "$3"
    # A rule that no order of events ever used would be one that was not tried.
    local unused
    unused=$(sed -n '/^unreached/,/^$/p' "$folder/$1/out" | grep 'state [0-9]' | grep -v -- '-end-')
    [ -z "$unused" ] || die "$3: steps never taken:" "$unused"
}

# find_violation KIND NAME: breadth first, so that the trail is a shortest one.
find_violation() {
    search "$2" "-D$1=$2" -DBFS
    violated "$2" || die "$1 $2: NOT FOUND in $(figure 'states, stored' "$2") states"
    local verb=found
    [ "$1" = GOAL ] && verb=reached
    printf '%-16s %-10s %9s states %22s %8s MiB %5s s  %s steps\n' "$2" "$verb" \
        "$(figure 'states, stored' "$2")" "" "$(figure 'total actual memory' "$2")" "$cpu_used" \
        "$(trail "$2" | grep -c '^  validator')"
}

if [ "${1:-}" = --mutant ]; then
    case " $(echo $mutants) " in
    *" ${2:-} "*) ;;
    *) die "--mutant takes one of:" $mutants ;;
    esac
    find_violation MUTANT "$2"
    trail "$2"
    exit 0
fi
[ $# -eq 0 ] || die "usage: ./run model [--mutant NAME]"

prove three-views "" "3 views"
prove two-unsorted "-DVIEWS=2 -DSORT=0" "2 views, validators not sorted"
prove two-unerased "-DVIEWS=2 -DERASE=0" "2 views, nothing erased"
for goal in $goals; do find_violation GOAL "$goal"; done
for mutant in $mutants; do find_violation MUTANT "$mutant"; done
echo "model: no violation; all $(echo $goals | wc -w) goals reached," \
    "all $(echo $mutants | wc -w) mutants found"
