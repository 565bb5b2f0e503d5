#!/bin/sh
# test_cuda_driver.sh: gpu/cuda_device.c against a driver that is none (fake_cuda.c): the engine is
# right through it, each call that fails is told, and a device that hangs is given up in time.
# ctest: timeout=1800
set -eu
program=$SYSTOLE_BIN/systole-gpu
fake=$SYSTOLE_BUILD/fake_cuda
scratch=$SYSTOLE_SCRATCH/cuda_driver
mkdir -p "$scratch"
if [ ! -f "$fake/libcuda.so.1" ]; then
    echo "skipped: built without CUDA"
    exit 77
fi
LD_LIBRARY_PATH=$fake${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH

fail() {
    echo "test_cuda_driver: $*" >&2
    exit 1
}

[ "$("$program" name)" = "fake device for tests" ] || fail "the device has no name"
"$program" check --jobs 300 --vectors "$SYSTOLE_SOURCE/../shared/vectors" || fail "it is not right"

# Every call fails once, early; none may end in success, in silence or in a crash.
for call in cuInit cuDeviceGetCount cuDeviceGet cuDevicePrimaryCtxRetain cuCtxSetCurrent \
    cuModuleLoadData cuModuleGetFunction cuMemGetInfo cuMemAlloc cuMemHostAlloc cuStreamCreate \
    cuMemcpyHtoDAsync cuMemcpyDtoHAsync cuLaunchKernel cuStreamQuery; do
    nth=1
    case $call in cuCtxSetCurrent) nth=9 ;; cuModuleGetFunction) nth=5 ;; esac
    status=0
    FAKE_CUDA_FAIL=$call:$nth:700 "$program" check --jobs 20 >"$scratch/out" 2>"$scratch/err" ||
        status=$?
    case $status in
    1) ;;
    3) [ "$call" = cuInit ] || [ "$call" = cuDeviceGetCount ] || fail "$call: no device?" ;;
    *) fail "$call fails and the status is $status" ;;
    esac
    grep -q "FAKE_CUDA_ERROR" "$scratch/err" || fail "$call: nothing says what failed"
done

status=0
FAKE_CUDA_HANG=4 "$program" check --jobs 20 >"$scratch/out" 2>"$scratch/err" || status=$?
[ "$status" = 1 ] || fail "a device that hangs ends with $status"
grep -q cuda_lost "$scratch/err" || fail "a device that hangs is not told"
echo "15 calls failed, one device hung"
