#!/usr/bin/env bash
# Strangers at a real validator's sockets, who speak TCP and hardly anything else: connections that
# say nothing, stop within the greeting, or greet and are silent; lengths of 2^62, nothing, and one
# that never comes whole; noise. There are more of them than a process may have files open unless it
# asks for more. The validator goes on committing with the others, keeps its memory, serves who asks
# it meanwhile, and its store is whole.
# ctest: network slow plain timeout=600
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/strangers.XXXXXX")
net=$scratch/net
keys=$scratch/keys
regulator=$net/keys/regulator-0.pem
on=(--net "$net")
. "$SYSTOLE_SOURCE/tests/cluster/signing.sh"
going() { # v3 may be stopped, and has to hear that it ends
    kill -CONT "$(cat "$net/v3/process")" 2>/dev/null || true
    stop_all
}
trap going EXIT

files=256 # that a validator may have open as it is started
crowd=400 # connections at a time

# port_of CHANNEL: control, bulk or client, of v1
port_of() {
    tr -d '\n ' <"$net/genesis.json" |
        sed "s|.*\"name\":\"v1\"||; s|\"name\".*||
            s|.*\"$1_address\":\"tcp://127.0.0.1:\([0-9]*\)\".*|\1|"
}
resident() {
    sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(cat "$net/v1/process")/status"
}
opened() {
    find "/proc/$(cat "$net/v1/process")/fd" -mindepth 1 | wc -l
}
# hail PORT BYTES: a connection that is kept, and sends that first; what printf makes of it.
held=()
hail() {
    local fd
    exec {fd}<>"/dev/tcp/127.0.0.1/$1" || fail "nobody listens on $1"
    held+=("$fd")
    # Whoever is refused is cut off, perhaps while it speaks.
    # shellcheck disable=SC2059 # escapes are what it is for
    printf "$2" 2>/dev/null 1>&"$fd" || true
}
leave() {
    local fd
    for fd in "${held[@]}"; do exec {fd}>&-; done
    held=()
}
# goes_on WHAT: three blocks, each of which takes v1, since v3 is stopped
goes_on() {
    local i
    for i in 1 2 3; do
        rm -f "$keys/org.pem"
        new_key org
        applied org.register regulator org org org_id="$(random_id)" kind=hospital \
            name_hash="$(random_id)" admin_key="$(public org)" x25519_key="$(public org)" \
            endpoints= gs1_prefixes=
    done
    echo "  $i blocks; v1 has $(opened) files and $(resident) KiB"
}
# asked: v1 answers who asks it alone
asked() {
    local i
    for i in $(seq 100); do
        "$bin/systole" get --net "$net" --validator v1 block newest >"$scratch/out" 2>&1 && return
        sleep 0.2
    done
    fail "v1 answers nobody: $(cat "$scratch/out")"
}
# crowd_of BYTES: as many as there may be at every port, each with these bytes behind a greeting;
# "-" is nothing at all, and "half" stops within the greeting.
crowd_of() {
    local channel port greeting sent i
    for channel in control bulk client; do
        port=$(port_of $channel)
        greeting='\0SP\0\0\x50\0\0' # whoever pushes
        if [ $channel = client ]; then greeting='\0SP\0\0\x30\0\0'; fi # whoever requests
        case $1 in
        -) sent= ;;
        half) sent='\0SP' ;;
        *) sent=$greeting$1 ;;
        esac
        for i in $(seq $((crowd / 3))); do hail "$port" "$sent"; done
    done
    echo "  $i strangers at each port"
    goes_on
    asked
    leave
}
trap '' PIPE
hard=$(ulimit -Hn)
ulimit -Sn $files
begin
ulimit -Sn "$hard"
on=(--net "$net" --validator v2)
kill -STOP "$(cat "$net/v3/process")"
echo "three validators, all of which it takes"
goes_on
before=$(resident)

echo "who says nothing"
crowd_of -
echo "who stops within the greeting"
crowd_of half
echo "who greets, and is silent"
crowd_of ''
echo "who announces 2^62 bytes"
crowd_of '\x40\0\0\0\0\0\0\0'
echo "who announces a megabyte, and sends three bytes of it"
crowd_of '\0\0\0\0\0\x10\0\0abc'
echo "who sends nothing, as a message"
crowd_of '\0\0\0\0\0\0\0\0'
echo "who sends noise"
noise='\xee\x01\xff\xff\xff\xff\0\0\x80\x7f\x0a\0\xc3\x28\0\0'
crowd_of '\0\0\0\0\0\0\0\x10'"$noise"
after=$(resident)
[ "$after" -le $((before + 65536)) ] || fail "v1 had $before KiB, and has $after"

echo "nothing of it is in anybody's store"
kill -CONT "$(cat "$net/v3/process")"
newest=$("$bin/systole" get --net "$net" --validator v2 block newest --json | field height)
for name in v0 v1 v2 v3; do await $name certified_height "$newest"; done
for name in v0 v1 v2 v3; do end $name TERM; done
same_state v0 v1 v2 v3
echo "strangers: heard by nobody"
