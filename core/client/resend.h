/* resend.h: when a transaction that a validator took goes to another one as well.
 *
 *     sent to a ....................................... still nothing of it: how long is too long?
 *         sent to others ...... final                   a alone keeps it back: some latencies
 *         sent to others ...................            nobody gets on: 30 s, as it is not a's
 * doing
 *
 * The same bytes may reach several validators and run once, so to be wrong costs traffic; to send
 * everything again whenever the network halts would cost the most when there is the least of it.
 * So what was sent later and is final by now is the sign. Pure; any thread. */
#ifndef SY_CLIENT_RESEND_H
#define SY_CLIENT_RESEND_H

#include <stdbool.h>
#include <stdint.h>

#define SY_RESEND_LEAST_NS 2000000000ull /* with a sign */
#define SY_RESEND_MOST_NS 30000000000ull /* without one, and at most */
#define SY_RESEND_LATENCIES 8u           /* that are waited for */

/* sy_resend_ns is how long one is waited for that others have overtaken: some times as long as
 * transactions take (latency_us; 0: not known), twice as long each time that it was sent again
 * (sends: how often it was sent, from 1), within the two bounds. */
uint64_t sy_resend_ns(uint64_t latency_us, unsigned sends);

/* sy_resend_is_kept: is one kept back that was sent at sent_ns? passed_ns: when the last one of
 * those was sent that have become final. */
bool sy_resend_is_kept(uint64_t now_ns, uint64_t sent_ns, uint64_t passed_ns, uint64_t latency_us,
                       unsigned sends);

/* sy_resend_rest_ns is how long a validator is passed over that kept something back so many times
 * (from 1): from SY_RESEND_LEAST_NS to SY_RESEND_MOST_NS. */
uint64_t sy_resend_rest_ns(unsigned times);

#endif
