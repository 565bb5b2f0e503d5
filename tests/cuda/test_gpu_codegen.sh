#!/bin/sh
# test_gpu_codegen.sh: what ptxas makes of the kernels, by its own account: registers, stack, spills
# and shared memory of each on each architecture are as codegen.txt says. Of a toolkit that it does
# not know only this is asked: no spills, and no more registers than below. SYSTOLE_REGENERATE=1
# writes this toolkit's lines anew. ctest: timeout=1800
set -eu
nvcc=${SYSTOLE_NVCC:-}
make=$SYSTOLE_SOURCE/gpu/make_image.sh
table=$SYSTOLE_SOURCE/tests/cuda/codegen.txt
scratch=$SYSTOLE_SCRATCH/gpu_codegen
registers_max=160 # 128 threads of so many are three blocks a processor
if [ -z "$nvcc" ]; then
    echo "skipped: built without CUDA"
    exit 77
fi
rm -rf "$scratch"
mkdir -p "$scratch"

fail() {
    echo "test_gpu_codegen: $*" >&2
    exit 1
}

toolkit=$("$nvcc" --version | sed -n 's/.* release .* V\([0-9.]*\).*/\1/p')
[ -n "$toolkit" ] || fail "$nvcc does not say which version it is"

# An entry's own line of registers comes with it; the functions that it calls follow, and may spill.
read_report() {
    awk -v toolkit="$toolkit" -v architecture="sm_$1" '
        function put() {
            if (name == "") return
            printf "%s %s %s registers %d stack %d spill_stores %d spill_loads %d shared %d\n",
                toolkit, architecture, name, registers, stack, stores, loads, shared
        }
        /Compiling entry function/ {
            put()
            split($0, part, "\047")
            name = part[2]
            registers = stack = stores = loads = shared = 0
        }
        /Function properties for/ { is_entry = $NF == name }
        /bytes stack frame/ {
            for (i = 1; i < NF; i++) {
                if ($(i + 1) == "bytes" && $(i + 2) == "stack" && is_entry) stack = $i
                if ($(i + 2) == "spill" && $(i + 3) ~ /^stores/) stores += $i
                if ($(i + 2) == "spill" && $(i + 3) ~ /^loads/) loads += $i
            }
        }
        / Used [0-9]+ registers/ {
            for (i = 1; i < NF; i++) {
                if ($i == "Used") registers = $(i + 1)
                if ($(i + 1) == "bytes" && $(i + 2) ~ /^smem/) shared = $i
            }
        }
        END { put() }' "$2"
}

kernels=$(grep -c "^    \[SY_GPU_" "$SYSTOLE_SOURCE/gpu/kernels.c")
for architecture in $(sh "$make" "$nvcc" list); do
    sh "$make" "$nvcc" "$scratch/sm_$architecture.cubin" "$architecture" \
        2>"$scratch/report" || fail "sm_$architecture: $(cat "$scratch/report")"
    read_report "$architecture" "$scratch/report" | sort >"$scratch/lines"
    found=$(wc -l <"$scratch/lines")
    [ "$found" -eq "$kernels" ] ||
        fail "ptxas tells of $found of $kernels kernels: $(cat "$scratch/report")"
    cat "$scratch/lines" >>"$scratch/all"
done

if [ "${SYSTOLE_REGENERATE:-}" = 1 ]; then
    grep -v "^$toolkit " "$table" >"$scratch/table" || true
    cat "$scratch/all" >>"$scratch/table"
    cp "$scratch/table" "$table"
    echo "$(wc -l <"$scratch/all") lines of toolkit $toolkit written"
    exit 0
fi

if ! grep -q "^$toolkit " "$table"; then
    awk -v max="$registers_max" '
        $5 > max || $9 > 0 || $11 > 0 { print; bad = 1 }
        END { exit bad }' "$scratch/all" >&2 ||
        fail "these spill, or have more than $registers_max registers"
    echo "toolkit $toolkit is not in codegen.txt: no spills, $registers_max registers at most"
    exit 0
fi

grep "^$toolkit " "$table" >"$scratch/expected"
if ! diff "$scratch/expected" "$scratch/all" >"$scratch/differences"; then
    sed 's/^</as it was: /; s/^>/now:       /' "$scratch/differences" >&2
    fail "not as codegen.txt says; if that is meant, SYSTOLE_REGENERATE=1 writes it anew"
fi
echo "$(wc -l <"$scratch/all") kernels are as before with toolkit $toolkit"
