#!/bin/sh
# make_image.sh NVCC OUT [ARCHITECTURES]: compiles kernels.cu into OUT, an image with code for each
# architecture (as 80,90; by default those of 80, 89, 90 and 100 that this nvcc knows) and PTX for
# the newest of them, which the driver translates for devices that are newer still. For tests, with
# the same options: OUT.ptx is the PTX for the newest alone; OUT.cubin is its code, and what ptxas
# says of each kernel goes to the standard error.
# make_image.sh NVCC list: the default's architectures.
set -eu
nvcc=$1
out=$2
here=$(cd "$(dirname "$0")" && pwd)
known=$("$nvcc" --list-gpu-arch | sed -n 's/^compute_//p')
wanted=${3:-}
wanted=$(echo "$wanted" | tr ',' ' ')
if [ -z "$wanted" ]; then
    for architecture in 80 89 90 100; do
        if echo "$known" | grep -qx "$architecture"; then wanted="$wanted $architecture"; fi
    done
fi
options=
newest=
for architecture in $wanted; do
    if ! echo "$known" | grep -qx "$architecture"; then
        echo "make_image.sh: $nvcc does not know compute_$architecture" >&2
        exit 1
    fi
    options="$options -gencode arch=compute_$architecture,code=sm_$architecture"
    newest=$architecture
done
if [ -z "$newest" ]; then
    echo "make_image.sh: $nvcc knows none of compute_80, 89, 90 and 100" >&2
    exit 1
fi
ptx="arch=compute_$newest,code=compute_$newest"
case $out in
list)
    echo "$wanted"
    exit 0
    ;;
*.ptx) options="-gencode $ptx -ptx" ;;
*.cubin) options="-gencode arch=compute_$newest,code=sm_$newest -cubin -Xptxas -v" ;;
*) options="$options -gencode $ptx -fatbin" ;;
esac
# shellcheck disable=SC2086
exec "$nvcc" -O3 -I"$here/.." $options -o "$out" "$here/kernels.cu"
