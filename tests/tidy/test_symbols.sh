#!/bin/sh
# Every symbol that a room's library gives to the linker starts with sy_, or with systole_ in the
# client room, so that libsystole cannot clash with a program's own names.
set -u

found=0
libraries=0
for library in "$SYSTOLE_BIN"/../lib/libsy_*.a; do
    name=$(basename "$library" .a)
    case $name in
    libsy_tests_*) continue ;;
    libsy_client) allowed='^(sy|systole)_' ;;
    *) allowed='^sy_' ;;
    esac
    libraries=$((libraries + 1))
    wrong=$(nm -g --defined-only "$library" 2>/dev/null | awk 'NF == 3 { print $3 }' |
        grep -Ev "$allowed")
    if [ -n "$wrong" ]; then
        echo "FAILED: $name defines names without the prefix; make them static or give it:"
        echo "$wrong"
        found=1
    fi
done
echo "$libraries libraries searched"
[ "$libraries" -gt 0 ] && [ "$found" -eq 0 ]
