/* tgsp/recipients.h - the recipients section: the DEK, wrapped once for each reader. */
#ifndef TG_TGSP_RECIPIENTS_H
#define TG_TGSP_RECIPIENTS_H

#include "crypto/key.h"
#include "util/buf.h"
#include "util/wipe.h"

struct tgsp_recipient {
	uint8_t id[TG_KEY_ID_LEN];
	uint8_t ek_classic[TG_X25519_LEN];
	uint8_t ct_pqc[TG_MLKEM768_CT_LEN];
	uint8_t wrapper[48];
};

/* Read-only; borrowed by nobody. */
struct tgsp_recipients {
	struct tgsp_recipient *at;
	size_t n;
};
void tgsp_recipients_done(struct tgsp_recipients *r);

/* 1 ... TG_MAX_RECIPIENTS blocks, sorted by id, unique. */
TG_MUST_CHECK tg_status tgsp_recipients_read(tg_bytes json, struct tgsp_recipients *ret,
    struct tg_error *err);
TG_MUST_CHECK tg_status tgsp_recipients_write(const struct tgsp_recipients *r, struct tg_buf *out,
    struct tg_error *err);

/* Borrowed; NULL when there is none. */
const struct tgsp_recipient *tgsp_recipients_find(const struct tgsp_recipients *r,
    const uint8_t id[static TG_KEY_ID_LEN]);

/* The randomness of one block. */
struct tgsp_coins {
	uint8_t x25519[32]; /* the ephemeral secret */
	uint8_t mlkem[32];
};

/* Wrap dek for `to` (an encryption key). */
TG_MUST_CHECK tg_status tgsp_recipient_wrap(const struct tg_key *to, const struct tgsp_coins *coins,
    const struct tg_key32 *dek, const uint8_t manifest_hash[static 32],
    const uint8_t commit[static 32], struct tgsp_recipient *ret, struct tg_error *err);
/* The inverse, with the private key; every cryptographic failure is the same TG_E_AUTH. */
TG_MUST_CHECK tg_status tgsp_recipient_unwrap(const struct tgsp_recipient *r,
    const struct tg_key *key, const uint8_t manifest_hash[static 32],
    const uint8_t commit[static 32], struct tg_key32 *ret, struct tg_error *err);

/* The key-encryption key from its transcript, for test vectors. */
struct tgsp_kem_transcript {
	const uint8_t *ss_x, *ss_m;   /* 32 bytes each */
	const uint8_t *ek_x, *pk_x;   /* 32 bytes each */
	const uint8_t *ct_m, *pk_m;   /* 1088 and 1184 bytes */
	const uint8_t *manifest_hash; /* 32 bytes */
};
TG_MUST_CHECK tg_status tgsp_kek(const struct tgsp_kem_transcript *t, struct tg_key32 *ret,
    struct tg_error *err);

#endif
