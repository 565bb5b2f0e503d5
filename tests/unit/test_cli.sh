#!/bin/sh
# The programs by themselves, without a network that runs: exit codes, sentences, files, JSON.
# ctest: timeout=120
set -u

systole=$SYSTOLE_BIN/systole
dir=$SYSTOLE_SCRATCH/cli
net=$dir/net
failed=0
count=0
rm -rf "$dir"
mkdir -p "$dir"

# expect CODE WORDS ARGUMENT...: runs systole; its exit code and something it says ("": anything).
expect() {
    wanted=$1
    words=$2
    shift 2
    count=$((count + 1))
    "$systole" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    code=$?
    if [ "$code" -ne "$wanted" ]; then
        echo "FAILED: systole $*: exit code $code, not $wanted"
        cat "$dir/out" "$dir/err"
        failed=1
    elif [ -n "$words" ] && ! cat "$dir/out" "$dir/err" | grep -q -e "$words"; then
        echo "FAILED: systole $*: it does not say '$words'"
        cat "$dir/out" "$dir/err"
        failed=1
    fi
}

# is_json ARGUMENT...: with --json the answer is one JSON value, failures included.
is_json() {
    count=$((count + 1))
    "$systole" "$@" --json >"$dir/out" 2>/dev/null </dev/null
    if [ "$(head -c 1 "$dir/out")" != "{" ] || [ "$(tail -n 1 "$dir/out")" != "}" ]; then
        echo "FAILED: systole $* --json is no JSON object"
        cat "$dir/out"
        failed=1
    fi
}

# --- usage ---------------------------------------------------------------------------------------
expect 2 'usage: systole COMMAND'
expect 0 'usage: systole COMMAND' --help
expect 0 'usage: systole COMMAND' help
expect 0 '^systole [0-9]' --version
expect 2 "there is no command 'feed'" feed
expect 2 "there is no command 'feed'" help feed
for command in testnet keygen submit get verify share open rewrap evidence audit status roster \
    explain; do
    expect 0 "usage: systole $command" $command --help
    expect 0 "usage: systole $command" help $command
    expect 2 'there is no option --colour' $command --colour
    expect 2 'there is no option -x' $command -x
done
expect 0 'systole tx make KIND' tx --help
expect 2 'systole tx make KIND' tx
expect 2 "there is no 'feed'" tx feed
for command in make prove approve sign cosign show send; do
    expect 0 "usage: systole tx $command" tx $command --help
done
expect 2 'systole record verify FILE' record
expect 0 'usage: systole record verify' record verify --help
expect 2 '--validators needs a value' testnet "$dir/x" --validators
expect 2 '--validators must be a whole number from 4 to 100' testnet "$dir/x" --validators 3
expect 2 '--validators must be' testnet "$dir/x" --validators=4x
expect 2 '--json takes no value' explain --json=yes
expect 2 'something is missing: give DIR' testnet
expect 2 "'b' is one argument too many" testnet a b
expect 2 'say which network' get block 1
expect 2 'say which network' get block 1 --net "$net" --config "$net/client.conf"
expect 1 'client.conf' get block 1 --net "$dir/nowhere"

# --- testnet and keygen --------------------------------------------------------------------------
expect 0 '4 validators laid out' testnet "$net" --base-port 0
expect 1 'is not empty' testnet "$net" --base-port 0
is_json testnet "$net"
is_json testnet "$dir/net7" --validators 7 --base-port 0
[ "$(ls -d "$dir"/net7/v* | wc -l)" -eq 7 ] || { echo "FAILED: seven validators"; failed=1; }
expect 0 '^[0-9a-f]\{64\}$' keygen --out "$dir/key.pem"
expect 1 'key.pem' keygen --out "$dir/key.pem"
expect 0 '^[0-9a-f]\{64\}$' keygen --x25519 --out "$dir/x.pem"
is_json keygen --out "$dir/key2.pem"
[ "$(stat -c %a "$dir/key.pem")" = 600 ] || { echo "FAILED: mode of key.pem"; failed=1; }

# --- transactions, offline -----------------------------------------------------------------------
genesis=$net/genesis.json
regulator=$net/keys/regulator-0.pem
draft=$dir/draft.json
expect 2 "there is no kind 'pet.feed'" tx make pet.feed
expect 2 'say who signs first' tx make care.close --genesis "$genesis" --field care_id=random
expect 2 '--nonce is missing' tx make care.close --genesis "$genesis" --key "$regulator" \
    --field care_id=random
expect 2 'no field colour' tx make care.close --genesis "$genesis" --key "$regulator" --nonce 1 \
    --field care_id=random --field colour=red
expect 2 'reason is missing' tx make org.suspend --genesis "$genesis" --key "$regulator" \
    --nonce 1 --field org_id=random
expect 2 'care_id must be: id' tx make care.close --genesis "$genesis" --key "$regulator" \
    --nonce 1 --field care_id=12
expect 0 '' tx make care.close --genesis "$genesis" --key "$regulator" --nonce 1 \
    --field care_id=random --out "$draft"
expect 0 '"signatures_missing": 1' tx show "$draft"
expect 1 'none of this transaction' tx cosign "$draft" --key "$dir/key.pem" --genesis "$genesis"
expect 2 'systole tx cosign' tx sign "$draft" --key "$dir/key.pem" --genesis "$genesis"
expect 2 'systole tx sign' tx cosign "$draft" --key "$regulator" --genesis "$genesis"
expect 1 'no such key' tx prove "$draft" --key "$dir/key.pem" --genesis "$genesis"
expect 1 'has not signed yet' tx send "$draft" --net "$net"
expect 0 '' tx sign "$draft" --key "$regulator" --genesis "$genesis"
expect 0 '"signatures_missing": 0' tx show "$draft"
is_json tx sign "$draft" --key "$regulator" --genesis "$genesis"
is_json tx make care.close --genesis "$genesis" --key "$regulator" --nonce 1 --field care_id=random
is_json tx make care.close --genesis "$genesis" --key "$regulator" --nonce 1 --field care_id=12
is_json tx show "$draft"
change=$dir/change.json
validator=$(sed -n 's/.*"consensus_key": "\([0-9a-f]*\)".*/\1/p' "$genesis" | head -n 1)
expect 2 'validator is missing' tx make validator.remove --genesis "$genesis" --key "$regulator" \
    --nonce 1 --field epoch=0 --field "roster_hash=$validator"
expect 0 '' tx make validator.remove --genesis "$genesis" --key "$regulator" --nonce 1 \
    --field epoch=0 --field "roster_hash=$validator" --field "validator=$validator" --out "$change"
expect 1 'approvals are too few' tx sign "$change" --key "$regulator" --genesis "$genesis"
for i in 0 1 2; do
    expect 0 '' tx approve "$change" --key "$net/v$i/keys/admin.pem" --genesis "$genesis"
done
expect 1 'approved already' tx approve "$change" --key "$net/v1/keys/admin.pem" --genesis "$genesis"
expect 1 'not for validators to approve' tx approve "$draft" --key "$net/v1/keys/admin.pem" \
    --genesis "$genesis"
is_json tx approve "$change" --key "$net/v3/keys/admin.pem" --genesis "$genesis"
expect 0 '' tx sign "$change" --key "$regulator" --genesis "$genesis"
expect 1 'signed this transaction already' tx approve "$change" --key "$dir/key.pem" \
    --genesis "$genesis"
expect 2 'another network' tx sign "$draft" --key "$regulator" --genesis "$dir/net7/genesis.json"
expect 1 'line 1' tx show "$dir/key.pem"
expect 1 'no transaction file' tx show "$genesis"
expect 2 '--proof FILE is for one draft' tx send "$draft" "$draft" --proof p --net "$net"

# --- health cards --------------------------------------------------------------------------------
expect 2 'systole card issue BUNDLE' card
for command in issue check jwks revoke; do
    expect 0 "usage: systole card $command" card $command --help
done
expect 0 '^[0-9a-f]\{128\}$' keygen --p256 --out "$dir/card.pem"
expect 2 'of one type' keygen --p256 --x25519 --out "$dir/card2.pem"
expect 0 '' card jwks "$dir/card.pem" --out "$dir/jwks.json"
expect 2 'must be EC' card jwks "$dir/key.pem"
echo '{"resourceType": "Bundle", "type": "collection"}' >"$dir/bundle.json"
expect 2 '--card-key, --issuer and --out' card issue "$dir/bundle.json"
expect 2 'an issuer is an https URL' card issue "$dir/bundle.json" --card-key "$dir/card.pem" \
    --issuer http://example.org --out "$dir/card.json"
expect 0 'jws_hash=[0-9a-f]\{64\} key_id=' card issue "$dir/bundle.json" \
    --card-key "$dir/card.pem" --issuer https://example.org --out "$dir/card.json" \
    --numeric "$dir/qr" --revocation-index 3
is_json card issue "$dir/bundle.json" --card-key "$dir/card.pem" --issuer https://example.org \
    --out "$dir/card2.json"
expect 0 '^valid: signed by key' card check "$dir/card.json" --jwks "$dir/jwks.json"
expect 0 '^valid: signed by key' card check "$dir/qr" --jwks "$dir/jwks.json"
is_json card check "$dir/qr" --jwks "$dir/jwks.json"
expect 2 '--jwks is missing' card check "$dir/qr"
expect 1 'no key set' card check "$dir/qr" --jwks "$dir/bundle.json"
expect 1 'no SMART Health Card' card check "$dir/bundle.json" --jwks "$dir/jwks.json"
kid=$(sed -n 's/.*"kid":"\([^"]*\)".*/\1/p' "$dir/jwks.json")
echo '{"kid":"'"$kid"'","method":"rid","ctr":1,"rids":["3"]}' >"$dir/crl.json"
expect 1 'revoked' card check "$dir/qr" --jwks "$dir/jwks.json" --crl "$dir/crl.json"
expect 0 '"crlVersion":1' card jwks "$dir/card.pem" --crl "$dir/crl.json"
expect 2 '--crl and --organisation' card revoke "$kid"
echo '{"kid":"'"$kid"'","method":"rid","rids":[]}' >"$dir/old.json"
expect 1 'no revocation list: ctr' card jwks "$dir/card.pem" --crl "$dir/old.json"

# --- nobody answers ------------------------------------------------------------------------------
expect 3 'nobody answers at tcp://127.0.0.1' tx send "$draft" --net "$net" --timeout 1
expect 3 'tcp://127.0.0.1' get block newest --net "$net" --validator 0
expect 3 'does not answer' status --net "$net" --validator v1
expect 3 'could be proven: nobody answers' status --net "$net" --validator v1
expect 2 'no such name' status --net "$net" --validator v9
expect 2 "'x' is not a height" get block x --net "$net"
expect 2 'record must be 64 hex digits' get record 12 --net "$net"
expect 2 "there is no 'pet' to get" get pet 12 --net "$net"
is_json get block newest --net "$net" --validator 3
is_json status --net "$net" --validator 2

# --- proofs, audits, words -----------------------------------------------------------------------
expect 1 'this is not a proof' verify "$genesis" --genesis "$genesis"
expect 1 'not proven' verify "$dir/nowhere.syproof" --genesis "$genesis"
expect 1 'no .syproof, .syvalid or .syevidence file' verify "$net" --genesis "$genesis"
expect 2 'name a proof' verify --genesis "$genesis"
expect 1 'cut.syproof' verify "$dir/cut.syproof" "$dir/cut.syproof" --genesis "$genesis"
is_json verify "$genesis" --genesis "$genesis"
expect 1 'client' verify --store "$dir/no_store" --genesis "$genesis"
expect 1 'there is no store' audit "$net/v0"
expect 2 'has no systoled.conf' audit "$net"
is_json audit "$net/v0"
expect 2 'name one of DIR' evidence
expect 1 'there is no store' evidence "$net/v0"
expect 1 'there is no store' evidence --net "$net"
is_json evidence "$net/v0"
expect 2 '--record and --salt' record verify x --record 12 --net "$net"
expect 0 'usage: systole record history' record history --help
expect 2 'RECORD must be 64 hex digits' record history 12 --net "$net"
expect 2 'purpose' record history "$(printf '%064d' 1)" --purpose x --net "$net"
expect 0 'consent withdrawn' record erase --help
expect 2 'RECORD must be 64 hex digits' record erase 12 --net "$net"
expect 0 '^form=raw commit=[0-9a-f]* size=[0-9]*$' record commit "$genesis"
expect 2 '--salt must be 64 hex digits' record commit "$genesis" --salt 12
expect 1 'nowhere' record commit "$dir/nowhere"
is_json record commit "$genesis"
expect 2 '--out is missing' share 12 "$genesis" --to 12 --net "$net"
expect 2 '--to is missing' share 12 "$genesis" --out "$dir/e" --net "$net"
expect 2 'record must be 64 hex digits' share 12 "$genesis" --to 12 --out "$dir/e" --net "$net"
expect 2 'name an envelope' rewrap
expect 2 '--x25519-key and --out' rewrap "$genesis"
expect 2 'either --to KEY or --entry' rewrap "$genesis" --x25519-key "$dir/x.pem" --out "$dir/e"
expect 2 '--entry needs' rewrap "$genesis" --x25519-key "$dir/x.pem" --out "$dir/e" --entry "$draft"
expect 2 '--pending is missing' rewrap --list
expect 2 'go alone' rewrap --list --submit --pending "$dir/none"
expect 0 '' rewrap --list --pending "$dir/none" --genesis "$genesis"
is_json rewrap --list --pending "$dir/none" --genesis "$genesis"
expect 2 '--x25519-key is missing' open "$genesis" --genesis "$genesis"
expect 2 'needs --out' open "$genesis" --genesis "$genesis" --x25519-key "$dir/x.pem" --json
expect 1 'no .syenvelope file' open "$genesis" --genesis "$genesis" --x25519-key "$dir/x.pem"
expect 2 'must be X25519' open "$genesis" --genesis "$genesis" --x25519-key "$dir/key.pem"
expect 0 'record.create' explain
expect 0 'Fields, in order' explain record.create
expect 0 'What to do: ' explain E_NO_CARE
expect 0 'E_NO_CARE' explain 79
expect 2 'there is no kind or code' explain pet
expect 2 '--markdown writes everything' explain --markdown record.create
is_json explain
is_json explain record.create
is_json explain E_ROLE
"$systole" explain --markdown | cmp -s - "$SYSTOLE_SOURCE/core/wire/CATALOGUE.md" || {
    echo "FAILED: core/wire/CATALOGUE.md is not what systole explain --markdown writes"
    failed=1
}

# --- a validator, started twice ------------------------------------------------------------------
conf=$net/v0/systoled.conf
"$SYSTOLE_BIN/systoled" --config "$conf" --init >"$dir/validator" 2>&1 &
first=$!
while [ ! -s "$net/v0/pid" ] && kill -0 "$first" 2>/dev/null; do sleep 0.1; done
systole=$SYSTOLE_BIN/systoled
expect 1 "is open in process $first;" --config "$conf"
[ "$(cat "$net/v0/pid")" = "$first" ] || { echo "FAILED: the pid file is not its own"; failed=1; }
kill "$first"
wait "$first" || { cat "$dir/validator"; failed=1; }
[ ! -e "$net/v0/pid" ] || { echo "FAILED: the pid file stays behind"; failed=1; }
expect 1 'start without --init' --config "$conf" --init
systole=$SYSTOLE_BIN/systole

# --- X12 -----------------------------------------------------------------------------------------
levels=$SYSTOLE_SOURCE/tests/fuzz/corpus/x12/levels
expect 0 '837I 2400: line_charge = 100.00' x12 --facts "$levels"
if grep -q -e M1 -e J189 -e 20200101 "$dir/out"; then
    echo "FAILED: systole x12 --facts tells who, or with what diagnosis"
    failed=1
fi
is_json x12 --facts "$levels"

# --- a reader that goes away ---------------------------------------------------------------------
"$systole" explain --markdown 2>"$dir/err" | head -n 1 >/dev/null

echo "$count commands run"
[ "$failed" -eq 0 ] && rm -rf "$dir"
exit "$failed"
