#!/bin/sh
# build.sh FOLDER [NVCC]: builds FOLDER/systole-gpu (bench/main_gpu.c) with $CC, or cc, and no
# library beyond the C library: what of core/ it needs is C without dependencies. With NVCC it has
# the image of the kernels, without one it runs on the host twin alone.
set -eu
folder=$1
nvcc=${2:-}
cc=${CC:-cc}
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$root"
flags="-std=c17 -O2 -g -I. -D_GNU_SOURCE -DSYSTOLE_VERSION=\"gpu\" -pthread"
crypto="ed25519_bytes ed25519_comb ed25519_scalar ed25519_verify key_tables sha512_portable
    sha512_tables sig_message"
sources="bench/main_gpu.c bench/gpu_jobs.c bench/gpu_check.c bench/gpu_speed.c gpu/kernels.c
    gpu/host_device.c gpu/cuda_engine.c gpu/cuda_lane.c gpu/cuda_hash.c gpu/cuda_verify.c"
for name in $crypto; do sources="$sources core/crypto/$name.c"; done
if [ -n "$nvcc" ]; then
    sh gpu/make_image.sh "$nvcc" "$folder/kernels.fatbin"
    include=$(sh gpu/toolkit_include.sh "$nvcc")
    # shellcheck disable=SC2086
    "$cc" $flags -isystem "$include" \
        "-DSY_GPU_IMAGE_PATH=\"$folder/kernels.fatbin\"" -c -o "$folder/device.o" gpu/cuda_device.c
else
    # shellcheck disable=SC2086
    "$cc" $flags -c -o "$folder/device.o" gpu/cuda_none.c
fi
# shellcheck disable=SC2086
exec "$cc" $flags -o "$folder/systole-gpu" $sources core/base/*.c "$folder/device.o" -ldl
