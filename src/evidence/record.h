/* evidence/record.h - a record's bytes: the chain's part in front, the event behind it
 * (docs/PROTOCOL.evidence.md section 1). Written and read here. */
#ifndef TG_EVIDENCE_RECORD_H
#define TG_EVIDENCE_RECORD_H

#include "crypto/many.h"
#include "evidence/event.h"

#define TG_HEX_HASH 64 /* digits of a hash in text */

/* {"_chain":{"chain_hash":"<64>","event_hash":"<64>","prev_hash":"<64>","sequence":N},... */
#define TG_RECORD_CHAIN    "{\"_chain\":{\"chain_hash\":\""
#define TG_RECORD_EVENT    "\",\"event_hash\":\""
#define TG_RECORD_PREV     "\",\"prev_hash\":\""
#define TG_RECORD_SEQUENCE "\",\"sequence\":"

enum {
	TG_RECORD_CHAIN_AT = sizeof(TG_RECORD_CHAIN) - 1,
	TG_RECORD_EVENT_AT = TG_RECORD_CHAIN_AT + TG_HEX_HASH + sizeof(TG_RECORD_EVENT) - 1,
	TG_RECORD_PREV_AT = TG_RECORD_EVENT_AT + TG_HEX_HASH + sizeof(TG_RECORD_PREV) - 1,
	TG_RECORD_SEQUENCE_AT = TG_RECORD_PREV_AT + TG_HEX_HASH + sizeof(TG_RECORD_SEQUENCE) - 1,
};

/* A record taken apart; nothing behind the chain's part has been looked at. */
struct tg_record {
	uint8_t *p; /* borrowed */
	size_t n;   /* without newline */
	size_t rest; /* p[rest] is the comma in front of the event's first member */
	uint64_t sequence;
};

extern const char tg_record_genesis[TG_HEX_HASH + 1]; /* prev_hash of record 0 */

/* TG_E_FORMAT unless the bytes begin as a record does, and are no longer than one may be. */
TG_MUST_CHECK tg_status tg_record_split(uint8_t *p, size_t n, const char *what,
    struct tg_record *ret, struct tg_error *err);

/* Room for the chain's part with this sequence number, its hashes still unwritten; the event's
 * members (from its first '"' on) follow at the returned place, which is behind the comma. */
uint8_t *tg_record_begin(uint8_t *p, uint64_t sequence);
#define TG_RECORD_HEAD_MAX (TG_RECORD_SEQUENCE_AT + 20 + 2)

/* The jobs that give leaf and event hash. The event is the record from its comma on with '{' in its
 * place. */
struct tg_sha256_job tg_record_leaf_job(const struct tg_record *r);
struct tg_sha256_job tg_record_event_job(const struct tg_record *r);
/* "prev:event" in text, what chain_hash is taken over. */
#define TG_RECORD_LINK_LEN (2 * TG_HEX_HASH + 1)
void tg_record_link(const struct tg_record *r, uint8_t out[static TG_RECORD_LINK_LEN]);

/* 64 digits, no NUL. */
void tg_hex_hash(uint8_t out[static TG_HEX_HASH], const uint8_t hash[static 32]);

/* The event's members, judged; the bytes are changed meanwhile and put back. `sequence` in the event
 * must be the record's. TG_E_FORMAT says what is wrong. */
TG_MUST_CHECK tg_status tg_record_event(const struct tg_record *r, const char *what,
    struct tg_event *ret, struct tg_error *err);
/* A record that stands alone: its form, event_hash and chain_hash. */
TG_MUST_CHECK tg_status tg_record_check(const struct tg_record *r, const char *what,
    struct tg_event *ret, struct tg_error *err);

#endif
