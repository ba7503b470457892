/* evidence/note.h - C2SP signed-note: a text, and signatures under it by keys that have names. */
#ifndef TG_EVIDENCE_NOTE_H
#define TG_EVIDENCE_NOTE_H

#include <tensorguard/limits.h>

#include "crypto/sig.h"
#include "util/buf.h"

enum tg_note_type {
	TG_NOTE_ED25519 = 0x01,	      /* over the text (signed-note) */
	TG_NOTE_COSIG_ED25519 = 0x04, /* over "cosignature/v1", time and text (tlog-cosignature) */
	TG_NOTE_COSIG_MLDSA44 = 0x06, /* over cosigned_message (tlog-cosignature) */
};

#define TG_NOTE_ID_LEN	 4
#define TG_NOTE_NAME_MAX 255

/* A public key that a signature line names. Immutable. */
struct tg_note_key {
	char name[TG_NOTE_NAME_MAX + 1];
	enum tg_note_type type;
	uint8_t id[TG_NOTE_ID_LEN];
	uint8_t pk[TG_MLDSA44_PK_LEN];
	size_t pk_len;
	struct tg_pkey *key;
};

/* TG_E_FORMAT for a name outside signed-note's rules (empty, white space, '+', control characters,
 * not UTF-8, above TG_NOTE_NAME_MAX bytes) or a key that must not be used. *ret is new. */
TG_MUST_CHECK tg_status tg_note_key_new(const char *name, enum tg_note_type type, tg_bytes pk,
    struct tg_note_key **ret, struct tg_error *err);
/* A verifier key: NAME+ID+BASE64. TG_E_UNSUPPORTED for another type. *ret is new. */
TG_MUST_CHECK tg_status tg_note_key_parse(
    tg_bytes vkey, struct tg_note_key **ret, struct tg_error *err);
/* The first bytes of SHA256(name || 0a || type || pk), by which a signature line names its key. */
TG_MUST_CHECK tg_status tg_note_key_id(const char *name, enum tg_note_type type, tg_bytes pk,
    uint8_t ret[static TG_NOTE_ID_LEN], struct tg_error *err);
TG_MUST_CHECK tg_status tg_note_key_print(const struct tg_note_key *k, struct tg_buf *out);
void tg_note_key_free(struct tg_note_key *k); /* accepts NULL */
static inline void
tg_note_key_freep(struct tg_note_key **k)
{
	tg_note_key_free(*k);
}

struct tg_note_line {
	tg_bytes name; /* borrowed from the note */
	uint8_t id[TG_NOTE_ID_LEN];
	tg_bytes sig; /* decoded; in tg_note.decoded */
};

/* A note taken apart; what its lines claim has not been checked. */
struct tg_note {
	tg_bytes text; /* with its last newline; borrowed */
	struct tg_note_line line[TG_MAX_NOTE_LINES];
	size_t n;
	struct tg_buf decoded;
};

/* `in` must outlive *ret; release with tg_note_done(). TG_E_FORMAT, or TG_E_LIMIT. */
TG_MUST_CHECK tg_status tg_note_parse(
    tg_bytes in, const char *what, struct tg_note *ret, struct tg_error *err);
void tg_note_done(struct tg_note *n);
/* Append "— name base64(id || sig)\n". */
TG_MUST_CHECK tg_status tg_note_put_line(
    struct tg_buf *out, const char *name, const uint8_t id[static TG_NOTE_ID_LEN], tg_bytes sig);

#endif
