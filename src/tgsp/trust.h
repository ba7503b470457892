/* tgsp/trust.h - look-ups in a <tensorguard/trust.h> store. */
#ifndef TG_TGSP_TRUST_H
#define TG_TGSP_TRUST_H

#include <stdbool.h>
#include <tensorguard/trust.h>

/* The key with this id that has the role and is valid now; NULL when there is none. Borrowed. */
const struct tg_key *tgsp_trust_find(const struct tg_trust *t, enum tg_trust_role role,
    const uint8_t id[static TG_KEY_ID_LEN]);

/* tgsp/truststore.c: is this the text of a store, and its entries. */
struct tg_json;
bool tgsp_is_store(const struct tg_json *j);
TG_MUST_CHECK tg_status tgsp_store_read(struct tg_trust *t, const struct tg_json *j,
    const char *path, struct tg_error *err);

#endif
