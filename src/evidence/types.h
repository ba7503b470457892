/* evidence/types.h - which events there are, and what each says: docs/PROTOCOL.evidence.md section 2,
 * whose table is made from this one. */
#ifndef TG_EVIDENCE_TYPES_H
#define TG_EVIDENCE_TYPES_H

#include "json/json.h"

/* Members of an event, in the order in which canonical JSON has them. */
enum tg_member {
	TG_M_ACTOR,
	TG_M_AGENT_ID,
	TG_M_ARTIFACTS,
	TG_M_ATTESTATION_ID,
	TG_M_CLAIMS_HASH,
	TG_M_CONTENT_HASH,
	TG_M_DETAIL,
	TG_M_EVENT_ID,
	TG_M_EVENT_TYPE,
	TG_M_FLEET_ID,
	TG_M_LOG_ORIGIN,
	TG_M_MANIFEST_HASH,
	TG_M_METRICS,
	TG_M_NOTE,
	TG_M_PACKAGE_HASH,
	TG_M_PAYLOAD_HASH,
	TG_M_POLICY_HASH,
	TG_M_RECIPIENTS_HASH,
	TG_M_RESULT,
	TG_M_SEQUENCE,
	TG_M_SIGNATURE,
	TG_M_SUBJECT,
	TG_M_TENANT_ID,
	TG_M_TIMESTAMP,
	TG_MEMBERS
};

#define TG_M_BIT(m) (1u << (m))

/* What every event has, and which part of that is the log's own to set. */
#define TG_M_ALWAYS                                                                                \
	(TG_M_BIT(TG_M_ACTOR) | TG_M_BIT(TG_M_EVENT_ID) | TG_M_BIT(TG_M_EVENT_TYPE) |              \
	    TG_M_BIT(TG_M_LOG_ORIGIN) | TG_M_BIT(TG_M_SEQUENCE) | TG_M_BIT(TG_M_TENANT_ID) |       \
	    TG_M_BIT(TG_M_TIMESTAMP))
#define TG_M_BY_LOG                                                                                \
	(TG_M_BIT(TG_M_LOG_ORIGIN) | TG_M_BIT(TG_M_SEQUENCE) | TG_M_BIT(TG_M_TIMESTAMP))

/* What a value is. A string is judged as it stands between its quotes. */
enum tg_value_form {
	TG_V_TEXT,    /* min ... max bytes, no control characters */
	TG_V_HEX64,   /* 64 lower-case hex digits */
	TG_V_UUID,    /* version 4, lower case */
	TG_V_COUNT,   /* integer >= 0 */
	TG_V_CHOICE,  /* one of a list */
	TG_V_OBJECT,  /* with members of its own */
	TG_V_MEASURES, /* object: integers, decimal strings, booleans under names of the writer's choice */
	TG_V_DETAIL,  /* object: strings, integers, booleans under such names */
	TG_V_LIST,    /* array of objects with members of their own */
};

struct tg_value_rule {
	const char *key;
	unsigned char key_len;
	enum tg_value_form form;
	bool required;             /* in the object it stands in; not used at the top */
	unsigned min, max;         /* TEXT: bytes; MEASURES, DETAIL, LIST: members; OBJECT: members, min */
	const char *const *choice; /* NULL at the end */
	const struct tg_value_rule *members; /* key NULL at the end, sorted */
};
/* Indexed by enum tg_member. */
extern const struct tg_value_rule tg_member_rules[TG_MEMBERS];

struct tg_event_type {
	const char *name;
	unsigned char name_len;
	uint32_t required, allowed; /* TG_M_BIT()s beside TG_M_ALWAYS; allowed excludes required */
	const char *when;           /* one line for the protocol */
};
/* Sorted by name. */
extern const struct tg_event_type tg_event_types[];
extern const size_t tg_event_type_count;
/* NULL when there is none. */
const struct tg_event_type *tg_event_type_find(tg_bytes name);

#endif
