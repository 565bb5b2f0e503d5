# signing.sh: what the scripts here share that make, sign and send transactions. They source it
# behind network.sh, with a folder of keys in $keys and a regulator's key in $regulator; "${on[@]}"
# says whom to ask, any validator unless it is set before.
# shellcheck shell=bash

[ -n "${on+set}" ] || on=(--net "$net")

# new_key NAME: its two halves lie in $keys; public NAME: the public one.
new_key() {
    "$bin/systole" keygen --json --out "$keys/$1.pem" | field public_key >"$keys/$1.public"
}
public() {
    cat "$keys/$1.public"
}
random_id() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

# draft FILE KIND SIGNER COSIGNERS PROVER FIELD...: a signed draft; "-" is nobody, cosigners stand
# between commas.
draft() {
    local file=$1 kind=$2 signer=$3 cosigners=${4//,/ } prover=$5 arguments=() name
    shift 5
    if [ "$cosigners" = - ]; then cosigners=; fi
    for name in "$@"; do arguments+=(--field "$name"); done
    for name in $cosigners; do arguments+=(--cosigner "$(public "$name")"); done
    if [ "$prover" != - ]; then arguments+=(--prove "$keys/$prover.pem"); fi
    rm -f "$file"
    "$bin/systole" tx make "${on[@]}" --key "$keys/$signer.pem" --read-key "$regulator" \
        "${arguments[@]}" --out "$file" "$kind" >/dev/null || fail "$kind: no draft"
    "$bin/systole" tx sign "${on[@]}" "$file" --key "$keys/$signer.pem" >/dev/null
    for name in $cosigners; do
        "$bin/systole" tx cosign "${on[@]}" "$file" --key "$keys/$name.pem" >/dev/null
    done
}

# apply KIND SIGNER ...: as a draft, sent. Exit code of `tx send`; what it says stands in
# $scratch/sent.
apply() {
    draft "$scratch/draft" "$@"
    "$bin/systole" tx send "${on[@]}" "$scratch/draft" >"$scratch/sent" 2>&1
}
applied() {
    apply "$@" || fail "$1 was not applied: $(cat "$scratch/sent")"
}
# refused CODE KIND ...
refused() {
    local code=$1
    shift
    apply "$@" && fail "$1 was applied"
    grep -q "$code" "$scratch/sent" || fail "$1 is not refused with $code: $(cat "$scratch/sent")"
}

# begin [SETTING...]: four validators of a new network, and the regulator's key among $keys; waits
# for a block. A setting is a line of every systoled.conf.
begin() {
    local i settings=(--set "heartbeat_ms = 100")
    for i in "$@"; do settings+=(--set "$i"); done
    "$bin/systole" testnet "$net" --base-port 0 --validators 4 "${settings[@]}" >/dev/null
    for i in 0 1 2 3; do start "v$i" --init; done
    mkdir -p "$keys"
    cp "$regulator" "$keys/regulator.pem"
    for i in $(seq 100); do
        "$bin/systole" get "${on[@]}" block 1 >/dev/null 2>&1 && return
        sleep 0.2
    done
    fail "no block is certified"
}
