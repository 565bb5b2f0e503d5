/* A million entries from one store to another without a single block replayed.
 * ctest: slow plain timeout=900 */
#include <stdio.h>

#include "core/base/os.h"
#include "tests/support/test.h"
#include "tests/support/transfer.h"

static struct transfer transfer;

static double seconds_since(uint64_t start_ns)
{
    return (double)(sy_os_monotonic_ns() - start_ns) / 1e9;
}

CASE(a_million_entries_need_no_replay)
{
    transfer_open(&transfer, test_seed());
    while (transfer.entries < 1000000) transfer_hold(&transfer, TRANSFER_CHANGES_MAX);
    uint64_t start_ns = sy_os_monotonic_ns();
    transfer_begin(&transfer);
    while (transfer_next(&transfer)) {
        if (transfer.chunks % 16 == 0) transfer_block(&transfer, 1000);
    }
    double moved_s = seconds_since(start_ns);
    transfer_finish(&transfer);
    print_message("%llu entries, %llu chunks, %llu MiB: cut, checked and installed in %.1f s, "
                  "opened and hashed in %.1f s more\n",
                  (unsigned long long)transfer.entries, (unsigned long long)transfer.chunks,
                  (unsigned long long)transfer.bytes >> 20, moved_s,
                  seconds_since(start_ns) - moved_s);
    transfer_close(&transfer);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_million_entries_need_no_replay),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
