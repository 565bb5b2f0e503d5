#!/bin/sh
# Plants one fault at a time into a small clean tree and checks that the tidy program names it.
# ctest: timeout=120
set -u

tidy=$SYSTOLE_BIN/tidy
work=$(mktemp -d "$SYSTOLE_SCRATCH/tidy.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
failures=0

# A clean tree with a header, a source, a document, and the real tables.
make_tree() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree/core/base" "$work/tree/core/wire" "$work/tree/core/net" \
        "$work/tree/core/client" "$work/tree/gpu" "$work/tree/tests/tidy" "$work/tree/build"
    cp "$SYSTOLE_SOURCE"/tests/tidy/*.txt "$work/tree/tests/tidy/"
    cat > "$work/tree/core/base/a.h" <<'EOF'
/* a.h: a header. */
#ifndef SY_BASE_A_H
#define SY_BASE_A_H

#include <stddef.h>

size_t sy_a(void);

#endif
EOF
    cat > "$work/tree/core/wire/b.c" <<'EOF'
#include <string.h>

#include "core/base/a.h"

int sy_b(void)
{
    return (int)sy_a();
}
EOF
    cat > "$work/tree/README.md" <<'EOF'
# A tree
See `core/base/a.h`, `a.h`, `core/`, `build/release/bin/none`, `/metrics`, `tx/s`, `DIR/v0/data`
and [the code](core/wire/b.c#top), or [elsewhere](https://example.org/none).
EOF
}

# expect NAME PATTERN: tidy must fail and print a line that matches PATTERN.
expect() {
    output=$("$tidy" "$work/tree" 2>&1)
    status=$?
    if [ "$status" -eq 1 ] && printf '%s\n' "$output" | grep -Eq "$2"; then
        echo "ok: $1"
    else
        echo "FAILED: $1: status $status, expected a line like: $2"
        printf '%s\n' "$output"
        failures=$((failures + 1))
    fi
    make_tree
}

# append FILE TEXT
append() {
    printf '%s\n' "$2" >> "$work/tree/$1"
}

make_tree
if ! "$tidy" "$work/tree"; then
    echo "FAILED: the clean tree must pass"
    exit 1
fi

append core/base/a.h '#include "core/wire/c.h"'
printf '/* c.h: c. */\n#ifndef C_H\n#define C_H\n#endif\n' > "$work/tree/core/wire/c.h"
expect "an include against the import table" \
    '^core/base/a.h:10: room base may not import room wire'

append core/wire/b.c '#include "core/base/gone.h"'
expect "an include of nothing" '^core/wire/b.c:9: includes "core/base/gone.h", which does not exist'

append core/wire/b.c '#include "../base/a.h"'
expect "an include that is not from the root" '^core/wire/b.c:9: includes "../base/a.h"'

append core/wire/b.c '#include <lmdb.h>'
expect "a library outside its files" '^core/wire/b.c:9: may not include <lmdb.h>'

append core/wire/b.c '#include <curl/curl.h>'
expect "a library nobody knows" '^core/wire/b.c:9: includes <curl/curl.h>, a library'

i=0
while [ $i -lt 800 ]; do echo '// line'; i=$((i + 1)); done >> "$work/tree/core/wire/b.c"
expect "a long file" '^core/wire/b.c: has 808 lines, more than 800'

{
    echo 'void sy_long(void)'
    echo '{'
    i=0
    while [ $i -lt 69 ]; do echo '    sy_b();'; i=$((i + 1)); done
    echo '}'
} >> "$work/tree/core/wire/b.c"
expect "a long function" '^core/wire/b.c:10: this function has 71 lines, more than 70'

append core/wire/b.c "// $(printf '%098d' 0)"
expect "a wide line" '^core/wire/b.c:9: is 101 columns wide'

append core/wire/b.c '// ends in a space '
expect "trailing white space" '^core/wire/b.c:9: ends in white space'

printf 'int sy_c(void);' >> "$work/tree/core/wire/b.c"
expect "no line break at the end" '^core/wire/b.c:9: the last line has no line break'

append core/wire/b.c "$(printf '\tint x;')"
expect "a tab" '^core/wire/b.c:9: holds a tab'

append core/wire/b.c '// TODO: later'
expect "a debt marker" '^core/wire/b.c:9: says "TODO"'

append README.md 'This is enough For Now.'
expect "a debt marker in a document" '^README.md:4: says "For Now"'

append core/wire/b.c 'int sy_q(int f) { return 2 * f + 1; }'
expect "a quorum counted by hand" '^core/wire/b.c:9: counts a quorum'

append core/wire/b.c 'int sy_f(int n) { return (n - 1) / 3; }'
expect "a fault count by hand" '^core/wire/b.c:9: counts a quorum'

append core/wire/b.c '    if (x) goto retry;'
expect "a jump elsewhere than out" '^core/wire/b.c:9: jumps elsewhere'

append README.md 'And `core/base/ghost.c`.'
expect "a dead path in a document" '^README.md:4: names `core/base/ghost.c`, which does not exist'

append README.md 'And `ghost/`.'
expect "a dead folder in a document" '^README.md:4: names `ghost/`'

append README.md 'And `./walk test`.'
expect "a dead command in a document" '^README.md:4: names `walk`'

append README.md 'And [a link](core/none.md).'
expect "a dead link in a document" '^README.md:4: links to core/none.md'

sed '/stddef/d' "$work/tree/core/base/a.h" > "$work/a.h" &&
    mv "$work/a.h" "$work/tree/core/base/a.h"
expect "a header that does not compile alone" '^core/base/a.h: does not compile alone'

sed '1d' "$work/tree/core/base/a.h" > "$work/a.h" &&
    mv "$work/a.h" "$work/tree/core/base/a.h"
expect "a header without its opening comment" '^core/base/a.h:1: does not open with a comment'

sed 's/^#define .*/#define OTHER/' "$work/tree/core/base/a.h" > "$work/a.h" &&
    mv "$work/a.h" "$work/tree/core/base/a.h"
expect "a header without its guard" '^core/base/a.h:2: has no include guard'

if command -v "${CXX:-c++}" > /dev/null; then
    cat > "$work/tree/gpu/d.h" <<'EOF'
/* d.h: C only. */
#ifndef SY_GPU_D_H
#define SY_GPU_D_H
int sy_d(int new);
#endif
EOF
    expect "a device header that is not C++" '^gpu/d.h: does not compile alone as C\+\+'
fi

if "$tidy" "$work/none" > /dev/null 2>&1 || [ $? -ne 2 ]; then
    echo "FAILED: a root without tables must end with status 2"
    failures=$((failures + 1))
fi

echo "$failures plants went unseen"
[ "$failures" -eq 0 ]
