#!/bin/sh
# compile_with.sh COMPILER OTHER ARGUMENTS: what OTHER would compile, by COMPILER (a clang), which
# is not given the options that it does not know.
compiler=$1
shift 2
count=$#
while [ "$count" -gt 0 ]; do
    argument=$1
    shift
    [ "$argument" = -fno-schedule-insns2 ] || set -- "$@" "$argument"
    count=$((count - 1))
done
exec "$compiler" "$@"
