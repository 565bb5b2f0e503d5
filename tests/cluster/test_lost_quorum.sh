#!/bin/sh
# The drill of README.md, "When quorum is lost", with four real validators and the commands that it
# names: two are killed, nothing becomes final and everybody is told so, reads and audits go on; one
# comes back from its own disk and so does the network, with all that was final; then two disks are
# lost for good, and what is left is what the README says.
# ctest: network plain slow timeout=900
set -eu

systole=$SYSTOLE_BIN/systole
dir=$SYSTOLE_SCRATCH/lost_quorum
net=$dir/net
data=$SYSTOLE_SOURCE/tests/data/fhir
patience_s=120
pids=
rm -rf "$dir"
mkdir -p "$dir"

fail() {
    echo "FAILED: $*"
    [ ! -f "$dir/out" ] || cat "$dir/out"
    exit 1
}

# end I SIGNAL: ends a validator that this script started.
end() {
    pid=$(cat "$dir/pid$1" 2>/dev/null) || return 0
    rm -f "$dir/pid$1"
    kill "-$2" "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}
end_all() {
    for i in 0 1 2 3; do end $i "${1:-KILL}"; done
}
trap end_all EXIT

# begin I [--init]
begin() {
    i=$1
    shift
    "$SYSTOLE_BIN/systoled" --config "$net/v$i/systoled.conf" "$@" >>"$dir/v$i.out" 2>&1 &
    echo $! >"$dir/pid$i"
}

# figure I NAME: a number or word of validator I's own account, empty if it does not answer.
figure() {
    "$systole" status --net "$net" --validator "$1" --json 2>/dev/null |
        grep -o "\"$2\": *\"\{0,1\}[^\",}]*" | head -n 1 | sed 's/^[^:]*: *"\{0,1\}//' || true
}

# await WHAT COMMAND...: until it succeeds.
await() {
    what=$1
    shift
    until_s=$(($(date +%s) + patience_s))
    until "$@"; do
        [ "$(date +%s)" -lt "$until_s" ] || fail "$what: not within $patience_s s"
        sleep 1
    done
}
height() {
    found=$(figure "$1" certified_height)
    echo "${found:-0}"
}
reaches() { [ "$(height "$1")" -ge "$2" ]; }
is_in_state() { figure "$1" state | grep -q "$2"; }

# status_says WORDS
status_says() { "$systole" status --net "$net" >"$dir/out" 2>&1 && grep -q -e "$1" "$dir/out"; }

# --- a network with something in it ---
"$systole" testnet "$net" --base-port 0 >/dev/null || fail "no network could be laid out"
for i in 0 1 2 3; do begin $i --init; done
for i in 0 1 2 3; do await "validator $i makes blocks" reaches $i 1; done
"$systole" submit --net "$net" "$data/1-directory.json" >"$dir/out" 2>&1 || fail "the first data"

# --- quorum is lost ---
end 2 KILL
end 3 KILL
await "status names who does not answer" status_says '^v2 .*does not answer'
await "status says that the network stands" status_says 'stalled\|changing view'
before=$(height 0)
if timeout 10 "$systole" submit --net "$net" "$data/2-castellano.json" >"$dir/out" 2>&1; then
    fail "two of four validators made something final"
fi
[ "$(height 0)" -eq "$before" ] || fail "a block was certified by two of four"
"$systole" get block "$before" --net "$net" >"$dir/out" 2>&1 || fail "survivors serve no reads"
"$systole" verify --store "$net/client" --genesis "$net/genesis.json" >"$dir/out" 2>&1 ||
    fail "kept proofs do not verify"

# Whoever restarts now asks the others first, and waits with its votes.
end 1 TERM
begin 1
await "a validator that is alone asks" is_in_state 1 asking

# --- one comes back from its own disk ---
begin 2
await "commits go on" reaches 0 $((before + 1))
"$systole" submit --net "$net" --resume "$data/2-castellano.json" >"$dir/out" 2>&1 ||
    fail "what was interrupted does not go on"
begin 3
await "the last one catches up" reaches 3 "$(height 0)"
"$systole" get block "$before" --net "$net" >"$dir/out" 2>&1 || fail "a final block is gone"
"$systole" verify --store "$net/client" --genesis "$net/genesis.json" >"$dir/out" 2>&1 ||
    fail "something final is gone"

# --- two disks are lost for good ---
end 2 KILL
end 3 KILL
rm -rf "$net/v2/data" "$net/v3/data"
before=$(height 0)
begin 2 --init
await "an emptied validator is told that it voted before" is_in_state 2 halted
[ "$(height 0)" -le $((before + 1)) ] || fail "an emptied validator made up a quorum"
end_all TERM
"$systole" audit "$net/v0" >"$dir/out" 2>&1 || fail "the audit of a survivor"
"$systole" audit "$net/v1" >"$dir/out" 2>&1 || fail "the audit of the other survivor"
"$systole" verify --store "$net/client" --genesis "$net/genesis.json" >"$dir/out" 2>&1 ||
    fail "kept proofs do not verify without a network"
echo "the drill went as the README says"
rm -rf "$dir"
