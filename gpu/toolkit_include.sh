#!/bin/sh
# toolkit_include.sh NVCC: prints the folder from which NVCC takes cuda.h. It is asked of NVCC and
# not guessed from its path: nvcc may be a script or a link that lies far from its toolkit.
set -eu
nvcc=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo '#include <cuda.h>' >"$folder/header.cu"
if ! "$nvcc" -M "$folder/header.cu" >"$folder/depends" 2>"$folder/errors"; then
    echo "toolkit_include.sh: $nvcc finds no cuda.h:" >&2
    cat "$folder/errors" >&2
    exit 1
fi
header=$(tr -s ' \\' '\n\n' <"$folder/depends" | grep '/cuda\.h$' | head -n 1)
if [ ! -f "$header" ]; then
    echo "toolkit_include.sh: $nvcc names no file cuda.h" >&2
    exit 1
fi
cd "$(dirname "$header")"
pwd -P
