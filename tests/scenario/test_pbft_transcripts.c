/* clang-format off */
/* test_pbft_transcripts.c: the rules of consensus/pbft/PROTOCOL.md as text.
 *
 * Every file in tests/scenario/pbft/ is a transcript of one machine: commands at the left margin,
 * what the machine did indented below. The test runs the commands again and compares every line.
 * SYSTOLE_REGENERATE=1 writes the files anew; the difference is then for a person to read.
 *
 *   machine n=4 self=1 [pipeline= skew_ms= view_ms= ask= epoch= base=]
 *                                         a fresh machine; without view_ms it leaves no view, and
 *                                         its VIEW timer is not shown; without ask its start is
 *                                         answered unseen
 *   start [height= header= next=1,1,1,1 next_epoch=]      START
 *   restore prepare A | prepared A signers= | boot N | halted H height= | view_change ... |
 *           new_view ...
 *   resume                                RESUME
 *   proposal A slot= [time= entries=]     names a proposal; entries maker:seq, maker:seq=0:9 for a
 *                                         body that says otherwise; time in ms from the start
 *   pre_prepare A [view= epoch= from=]    PRE_PREPARE of the view's primary
 *   prepare|commit A signers= [view=]     votes, one event each
 *   seal H height= signers=               seals of a header
 *   block H slot= previous= [entries= time= signers= ran= from=]   a certified block; defines H
 *   own_status START.NUMBER from=         the own STATUS comes back: the answer to a start
 *   status from= [by= counter= certified= executed= pre= prepared= committed= view= in_view=
 *           epoch=]
 *                                         masks: first slot left
 *   slot_fetch from= first= count=
 *   view_change from= view= [stable= header= prepared=A:0,B:0 by=]   with certificates of A and B
 *                                         of view 0; its digest is named V<view>.<signer>
 *   name_change ...                       only names the digest
 *   new_view view= signers= [by=]         names V<view>.<signer> of these
 *   view_fetch from= view= [held=]
 *   ready 0:1 [txs= bytes= as=]           BATCH_READY; as: what the body's header says
 *   drop 0:1 [condemned]                  BATCH_DROPPED
 *   persisted [token=]                    all records, or up to a token
 *   executed H [next= next_epoch=]        the next height, giving header H
 *   certified HEIGHT                      CERTIFICATE_DURABLE
 *   wait MS                               time passes; due timers fire
 *   sleep MS                              time passes and the machine is not run; timers fire late
 *   heard N                               something came over the link of N, unchecked yet
 *   info                                  what an operator would see
 *   peer N                                what it would see about a peer
 *   hide status                           leaves out status messages and their timer from here on
 *   show spared                           marks messages that a node would have dropped unchecked
 *
 * Whatever a node would have dropped unchecked (P35) must have no effect in any transcript.
 *
 * Lines that begin with # are remarks. */
/* clang-format on */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "tests/scenario/pbft_transcript.h"
#include "tests/support/test.h"

static void report_difference(const char *expected)
{
    const char *is = t.out;
    unsigned line = 1;
    while (*is && *is == *expected) {
        line += *is == '\n';
        is++;
        expected++;
    }
    while (is > t.out && is[-1] != '\n') {
        is--;
        expected--;
    }
    fail_msg("%s:%u:\n  expected: %.*s\n  got:      %.*s", t.file, line,
             (int)strcspn(expected, "\n"), expected, (int)strcspn(is, "\n"), is);
}

static void check_file(const char *path)
{
    struct sy_error err;
    uint8_t *data;
    size_t size;
    t.file = path;
    if (sy_os_read_file(&data, &size, path, TEXT_MAX, &err) != SY_OK) fail_msg("%s", err.text);
    char *expected = strdup((const char *)data);
    assert_non_null(expected);
    transcript_run((char *)data);
    if (getenv("SYSTOLE_REGENERATE")) {
        assert_int_equal(sy_os_write_file(path, t.out, t.used, 0644, &err), SY_OK);
    } else if (strcmp(expected, t.out) != 0) {
        report_difference(expected);
    }
    free(expected);
    free(data);
}

CASE(every_transcript_is_what_the_machine_does)
{
    char folder[512], path[800];
    const char *source = getenv("SYSTOLE_SOURCE");
    snprintf(folder, sizeof folder, "%s/tests/scenario/pbft", source ? source : ".");
    DIR *dir = opendir(folder);
    if (!dir) fail_msg("%s: %s", folder, strerror(errno));
    unsigned count = 0;
    for (const struct dirent *item; (item = readdir(dir));) {
        size_t length = strlen(item->d_name);
        if (length < 5 || strcmp(item->d_name + length - 4, ".txt") != 0) continue;
        snprintf(path, sizeof path, "%s/%s", folder, item->d_name);
        check_file(path);
        count++;
    }
    closedir(dir);
    printf("%u transcripts\n", count);
    assert_true(count >= 20);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_transcript_is_what_the_machine_does),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
