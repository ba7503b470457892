/* tgsp/trust.h - look-ups in a <tensorguard/trust.h> store. */
#ifndef TG_TGSP_TRUST_H
#define TG_TGSP_TRUST_H

#include <tensorguard/trust.h>

/* The key with this id that has the role; NULL when there is none. Borrowed from the store. */
const struct tg_key *tgsp_trust_find(const struct tg_trust *t, enum tg_trust_role role,
    const uint8_t id[static TG_KEY_ID_LEN]);

#endif
