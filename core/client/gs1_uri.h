/* gs1_uri.h: the many ways to write a GS1 key as a URI, brought into one.
 *
 * EPC URIs (urn:epc:id:sgtin:4012345.011111.987), class and pattern URIs (urn:epc:class:,
 * urn:epc:idpat:) and GS1 Digital Link URIs of any domain become the constrained canonical Digital
 * Link URI that event hashes are made of: https://id.gs1.org, the finest level of identification,
 * nothing behind it. Sources: EPC Tag Data Standard 2.0 section 6 and 7, GS1 Digital Link: URI
 * Syntax 1.2 section 4.11, CBV 2.0 section 8.9 (rules 17 and 18 of the event hash).
 *
 * Check digits are made for EPC URIs, which have none, and taken as they stand in Digital Links:
 * sy_gs1_check_good judges them. Pure; any thread. */
#ifndef SY_CLIENT_GS1_URI_H
#define SY_CLIENT_GS1_URI_H

#include <stdbool.h>

#include "core/base/bytes.h"

#define SY_GS1_URI_BYTES 160u /* room of a canonical URI, terminated */

/* sy_gs1_canonical writes the canonical URI of `uri`. False: it is none that conveys a GS1 key, or
 * not as the standard has it; out is then empty. */
bool sy_gs1_canonical(char out[SY_GS1_URI_BYTES], struct sy_slice uri);

/* sy_gs1_check_good says whether the check digit in a canonical URI is right; true for keys without
 * one (401, 8004, 8010). *expected is the right one, as a character. */
bool sy_gs1_check_good(char *expected, const char *canonical);

/* sy_gs1_path is the part of a canonical URI behind the domain ("01/04012345111118/21/987"), which
 * is how transactions name units and containers; NULL if it is none. */
const char *sy_gs1_path(const char *canonical);

#endif
