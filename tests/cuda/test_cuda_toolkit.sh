#!/bin/sh
# test_cuda_toolkit.sh NVCC: gpu/toolkit_include.sh finds the toolkit of an nvcc that is a script
# far from it, or a link, and says what is wrong with one that has no cuda.h or is none.
set -eu
nvcc=$1
scratch=$SYSTOLE_SCRATCH/cuda_toolkit
ask=$SYSTOLE_SOURCE/gpu/toolkit_include.sh
rm -rf "$scratch"
mkdir -p "$scratch/bin"

fail() {
    echo "test_cuda_toolkit: $*" >&2
    exit 1
}

include=$(sh "$ask" "$nvcc")
[ -f "$include/cuda.h" ] || fail "no cuda.h in '$include'"

printf '#!/bin/sh\nexec "%s" "$@"\n' "$nvcc" >"$scratch/bin/nvcc"
chmod +x "$scratch/bin/nvcc"
[ "$(sh "$ask" "$scratch/bin/nvcc")" = "$include" ] || fail "a script leads elsewhere"
ln -s bin/nvcc "$scratch/nvcc"
[ "$(sh "$ask" "$scratch/nvcc")" = "$include" ] || fail "a link leads elsewhere"

printf '#!/bin/sh\necho "no such header" >&2\nexit 1\n' >"$scratch/bin/broken"
printf '#!/bin/sh\necho "header.o: header.cu"\n' >"$scratch/bin/empty"
chmod +x "$scratch/bin/broken" "$scratch/bin/empty"
for name in broken empty missing; do
    if sh "$ask" "$scratch/bin/$name" >"$scratch/out" 2>"$scratch/err"; then fail "$name passes"; fi
    [ ! -s "$scratch/out" ] || fail "$name has a folder"
    grep -q "toolkit_include.sh: $scratch/bin/$name .* cuda.h" "$scratch/err" ||
        fail "nothing says what is wrong with $name"
done
echo "an nvcc, a script, a link; 3 that are none"
