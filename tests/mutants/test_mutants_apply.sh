#!/bin/sh
# test_mutants_apply.sh: the lines of each mutant of mutants.txt stand in its file, once. Who
# changes a line that a mutant names changes the mutant.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
LC_ALL=C exec awk '
    function text_of(file,    line, text) {
        if (!(file in texts)) {
            text = ""
            while ((getline line <file) > 0) text = text line "\n"
            close(file)
            texts[file] = "\n" text
        }
        return texts[file]
    }
    # The lines stand at the start of a line.
    function times(text, lines,    at, n) {
        for (n = 0; (at = index(text, "\n" lines)) > 0; n++) text = substr(text, at + 1)
        return n
    }
    function end_hunk(    n) {
        if (file == "") return
        n = times(text_of(file), lines)
        if (lines == "" || n != 1) {
            print mutant " does not apply: its lines stand " n " times in " file ":\n" lines
            bad++
        }
        file = lines = ""
    }
    /^#/ || /^$/ { next }
    /^= / { end_hunk(); mutant = $2; sub(/:$/, "", mutant); count++; next }
    /^@ / { end_hunk(); file = $2; next }
    /^[- ]/ { lines = lines substr($0, 2) "\n"; next }
    /^\+/ { next }
    { print "mutants.txt, line " NR ": neither a mutant nor a line of one"; bad++ }
    END {
        end_hunk()
        print count " mutants, " bad + 0 " lines or mutants that do not apply"
        exit count == 0 || bad > 0
    }' "$here/mutants.txt"
