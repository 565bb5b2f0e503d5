#!/bin/sh
# What is installed is enough for somebody else's program: header, library, pkg-config file; the
# library gives away only names that begin with systole_; the header is good C and C++.
set -eu

prefix=$SYSTOLE_SCRATCH/install
rm -rf "$prefix" "$SYSTOLE_SCRATCH/install_net"
mkdir -p "$prefix"
cmake --install "$SYSTOLE_BUILD" --prefix "$prefix" >"$SYSTOLE_SCRATCH/install.log" || {
    cat "$SYSTOLE_SCRATCH/install.log"
    exit 1
}
pc=$(find "$prefix" -name systole.pc)
[ -n "$pc" ] || { echo "FAILED: no systole.pc was installed"; exit 1; }
library=$(dirname "$(dirname "$pc")")/libsystole.so

names=$(nm -D --defined-only "$library" | awk '{ print $3 }')
wrong=$(echo "$names" | grep -v '^systole_' || true)
if [ -n "$wrong" ]; then
    echo "FAILED: libsystole gives away other names than systole_...:"
    echo "$wrong"
    exit 1
fi
echo "$(echo "$names" | wc -l) names in the library"

flags() {
    PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --define-variable=prefix="$prefix" "$@" systole
}
example=$SYSTOLE_SCRATCH/install_example
# shellcheck disable=SC2046
"${CC:-cc}" -std=c99 -Wall -Wextra -Wpedantic -Werror "$SYSTOLE_SOURCE/tests/install/example.c" \
    $(flags --cflags) -o "$example" $(flags --libs)
if command -v c++ >/dev/null; then
    # shellcheck disable=SC2046
    echo '#include <systole.h>' | c++ -x c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror \
        $(flags --cflags) -c - -o /dev/null
fi

"$prefix/bin/systole" testnet "$SYSTOLE_SCRATCH/install_net" --base-port 0 >/dev/null
genesis=$SYSTOLE_SCRATCH/install_net/genesis.json
LD_LIBRARY_PATH=$(dirname "$library") "$example" "$genesis" >"$SYSTOLE_SCRATCH/install_example.out"
cat "$SYSTOLE_SCRATCH/install_example.out"
hash=$(sed -n 's/^ *"hash": "\([0-9a-f]*\)".*/\1/p' "$genesis")
grep -q "^network $hash\$" "$SYSTOLE_SCRATCH/install_example.out"
grep -q '^validators 4$' "$SYSTOLE_SCRATCH/install_example.out"
grep -q '^missing 0$' "$SYSTOLE_SCRATCH/install_example.out"
rm -rf "$prefix" "$SYSTOLE_SCRATCH/install_net"
