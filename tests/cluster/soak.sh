#!/usr/bin/env bash
# soak.sh: the long test. Streams SYSTOLE_SOAK_BYTES (1 GB) of NDJSON into four real validators; the
# client is killed three times with SIGKILL and goes on with --resume; its peak memory stays within
# 256 MiB; at the end every resource is final or a duplicate, nothing is refused, and every
# validator's audit from genesis gives the same state root. The data are made by systole-bench, from
# a seed. SYSTOLE_SOAK_BYTES=60000000 ./run soak took 581 s on two shared, loaded vCPU; the whole
# gigabyte takes hours there, and room under TMPDIR for about 14 times the input.
set -u

bin=${SYSTOLE_BIN:?SYSTOLE_BIN must name the folder of the programs}
bytes=${SYSTOLE_SOAK_BYTES:-1000000000}
limit_kib=$((256 * 1024))
dir=$(mktemp -d "${TMPDIR:-/tmp}/systole-soak.XXXXXX")
net=$dir/net
pids=

fail() {
    echo "soak: $*" >&2
    echo "soak: everything is left in $dir" >&2
    for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
    exit 1
}

start_validators() {
    local i
    for i in 0 1 2 3; do
        "$bin/systoled" --config "$net/v$i/systoled.conf" "$@" >>"$net/v$i/output" 2>&1 &
        pids="$pids $!"
    done
}

# peak_kib PID: the process's peak resident memory so far, 0 when it is gone.
peak_kib() {
    awk '/^VmHWM:/ {print $2; found = 1} END {if (!found) print 0}' "/proc/$1/status" 2>/dev/null ||
        echo 0
}

highest=0
kills=0
# submit SECONDS: runs the client; after SECONDS (0: never) it is killed.
submit() {
    local limit=$1 start=$SECONDS peak
    "$bin/systole" submit --net "$net" --resume --report "$dir/report.json" "$dir/in.ndjson" \
        >"$dir/submit.out" 2>"$dir/submit.err" &
    local pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        peak=$(peak_kib "$pid")
        [ "$peak" -gt "$highest" ] && highest=$peak
        if [ "$limit" -gt 0 ] && [ $((SECONDS - start)) -ge "$limit" ]; then
            kill -9 "$pid" 2>/dev/null && kills=$((kills + 1))
            wait "$pid" 2>/dev/null
            echo "soak: the client was killed after $limit s, peak $highest KiB:" \
                "$(tail -n 1 "$dir/submit.err")"
            return 0
        fi
    done
    wait "$pid"
}

# figure NAME: one of the report's own figures.
figure() {
    sed -n "s/^  \"$1\": \([0-9]*\).*/\1/p" "$dir/report.json" | head -n 1
}

"$bin/systole-bench" ndjson --bytes "$bytes" >"$dir/in.ndjson" || fail "no input could be made"
lines=$(wc -l <"$dir/in.ndjson")
echo "soak: $lines resources, $bytes bytes"
"$bin/systole" testnet "$net" --base-port 0 >/dev/null || fail "no network could be laid out"
start_validators --init
for _ in $(seq 1 100); do
    "$bin/systole" status --net "$net" >"$dir/status" 2>&1 && break
    sleep 0.2
done
"$bin/systole" status --net "$net" >"$dir/status" 2>&1 ||
    fail "the network does not run: $(tail -n 1 "$dir/status")"

for seconds in 20 40 30 0; do
    submit $seconds || fail "the client failed: $(tail -n 3 "$dir/submit.err")"
done
[ "$kills" -eq 3 ] || fail "the client ended before it was killed three times; stream more bytes"
echo "soak: $(tail -n 1 "$dir/submit.out")"
resources=$(figure resources) final=$(figure final) duplicates=$(figure duplicates)
[ "$resources" -eq "$lines" ] || fail "$resources of $lines resources were read"
[ $((final + duplicates)) -eq "$lines" ] ||
    fail "$final resources are final and $duplicates duplicates, of $lines"
[ "$(figure refused)" -eq 0 ] || fail "$(figure refused) resources were refused"
[ "$highest" -le "$limit_kib" ] || fail "the client took $highest KiB at its peak, over $limit_kib"

kill $pids
wait
echo "soak: all is final after $SECONDS s; auditing the four validators"
pids=
for i in 0 1 2 3; do
    "$bin/systole" audit --json "$net/v$i" >"$dir/audit$i" &
    pids="$pids $!"
done
for pid in $pids; do
    wait "$pid" || fail "an audit failed; $dir/audit? say why"
done
roots=$(sed -n 's/^  "state_root": "\([0-9a-f]*\)".*/\1/p' "$dir"/audit?)
[ "$(echo "$roots" | wc -l)" -eq 4 ] || fail "an audit gave no state root"
[ "$(echo "$roots" | sort -u | wc -l)" -eq 1 ] || fail "the validators' state roots differ"
echo "soak: passed in $SECONDS s: $lines resources, $(figure transactions) transactions, $final" \
    "final, $duplicates duplicates, $kills kills, client peak $highest KiB, audits equal"
rm -rf "$dir"
