#include "evidence/types.h"

#include "util/try.h"

#define NAME_MAX_LEN 255
#define PATH_MAX_LEN 1024
#define TEXT_MAX_LEN 8192
#define ROWS_MAX     64

#define NAME(key)                key, sizeof(key) - 1
#define TEXT(key, required, max) { NAME(key), TG_V_TEXT, required, 1, max, NULL, NULL }
#define HASH(key)                { NAME(key), TG_V_HEX64, true, 0, 0, NULL, NULL }
#define END                      { NULL, 0, TG_V_TEXT, false, 0, 0, NULL, NULL }

static const char *const actor_types[] = { "device", "service", "system", "user", NULL };
static const char *const statuses[] = { "denied", "failure", "success", NULL };

static const struct tg_value_rule actor[] = {
	TEXT("id", true, NAME_MAX_LEN),
	TEXT("ip", false, NAME_MAX_LEN),
	TEXT("name", false, NAME_MAX_LEN),
	{ NAME("type"), TG_V_CHOICE, true, 0, 0, actor_types, NULL },
	END,
};
static const struct tg_value_rule artifact[] = {
	TEXT("name", true, PATH_MAX_LEN),
	HASH("sha256"),
	END,
};
static const struct tg_value_rule result[] = {
	TEXT("code", false, NAME_MAX_LEN),
	TEXT("reason", false, PATH_MAX_LEN),
	{ NAME("status"), TG_V_CHOICE, true, 0, 0, statuses, NULL },
	END,
};
static const struct tg_value_rule signature[] = {
	TEXT("alg", true, TEXT_MAX_LEN),
	TEXT("key_id", true, TEXT_MAX_LEN),
	TEXT("sig", true, TEXT_MAX_LEN),
	END,
};
static const struct tg_value_rule subject[] = {
	TEXT("deployment_id", false, PATH_MAX_LEN),
	TEXT("key_id", false, PATH_MAX_LEN),
	TEXT("model_ref", false, PATH_MAX_LEN),
	TEXT("model_version", false, PATH_MAX_LEN),
	TEXT("path", false, PATH_MAX_LEN),
	TEXT("policy_id", false, PATH_MAX_LEN),
	TEXT("round_id", false, PATH_MAX_LEN),
	TEXT("tgsp_ref", false, PATH_MAX_LEN),
	END,
};

const struct tg_value_rule tg_member_rules[TG_MEMBERS] = {
	[TG_M_ACTOR] = { NAME("actor"), TG_V_OBJECT, true, 1, 0, NULL, actor },
	[TG_M_AGENT_ID] = TEXT("agent_id", true, NAME_MAX_LEN),
	[TG_M_ARTIFACTS] = { NAME("artifacts"), TG_V_LIST, true, 1, ROWS_MAX, NULL, artifact },
	[TG_M_ATTESTATION_ID] = TEXT("attestation_id", true, NAME_MAX_LEN),
	[TG_M_CLAIMS_HASH] = HASH("claims_hash"),
	[TG_M_CONTENT_HASH] = HASH("content_hash"),
	[TG_M_DETAIL] = { NAME("detail"), TG_V_DETAIL, true, 1, ROWS_MAX, NULL, NULL },
	[TG_M_EVENT_ID] = { NAME("event_id"), TG_V_UUID, true, 0, 0, NULL, NULL },
	[TG_M_EVENT_TYPE] = TEXT("event_type", true, 64),
	[TG_M_FLEET_ID] = TEXT("fleet_id", true, NAME_MAX_LEN),
	[TG_M_LOG_ORIGIN] = TEXT("log_origin", true, NAME_MAX_LEN),
	[TG_M_MANIFEST_HASH] = HASH("manifest_hash"),
	[TG_M_METRICS] = { NAME("metrics"), TG_V_MEASURES, true, 1, ROWS_MAX, NULL, NULL },
	[TG_M_NOTE] = TEXT("note", true, TEXT_MAX_LEN),
	[TG_M_PACKAGE_HASH] = HASH("package_hash"),
	[TG_M_PAYLOAD_HASH] = HASH("payload_hash"),
	[TG_M_POLICY_HASH] = HASH("policy_hash"),
	[TG_M_RECIPIENTS_HASH] = HASH("recipients_hash"),
	[TG_M_RESULT] = { NAME("result"), TG_V_OBJECT, true, 1, 0, NULL, result },
	[TG_M_SEQUENCE] = { NAME("sequence"), TG_V_COUNT, true, 0, 0, NULL, NULL },
	[TG_M_SIGNATURE] = { NAME("signature"), TG_V_OBJECT, true, 1, 0, NULL, signature },
	[TG_M_SUBJECT] = { NAME("subject"), TG_V_OBJECT, true, 1, 0, NULL, subject },
	[TG_M_TENANT_ID] = TEXT("tenant_id", true, NAME_MAX_LEN),
	[TG_M_TIMESTAMP] = { NAME("timestamp"), TG_V_COUNT, true, 0, 0, NULL, NULL },
};

#define B(m) TG_M_BIT(TG_M_##m)
#define ANY  (B(SIGNATURE) | B(NOTE) | B(FLEET_ID) | B(AGENT_ID)) /* allowed everywhere */
/* of a package, as far as it is known when something is refused */
#define PACKAGE (B(PACKAGE_HASH) | B(CONTENT_HASH) | B(MANIFEST_HASH) | B(PAYLOAD_HASH) | B(RECIPIENTS_HASH))
#define NUMBERS (B(METRICS) | B(ARTIFACTS) | B(DETAIL))

const struct tg_event_type tg_event_types[] = {
	{ NAME("ATTESTATION_SUBMITTED"), B(ATTESTATION_ID) | B(CLAIMS_HASH), B(SUBJECT) | B(DETAIL) | ANY,
	    "a device has sent an attestation" },
	{ NAME("ATTESTATION_VERIFIED"), B(ATTESTATION_ID) | B(CLAIMS_HASH) | B(RESULT),
	    B(SUBJECT) | B(POLICY_HASH) | B(DETAIL) | ANY, "it has been judged" },
	{ NAME("BENCH_REPORT_GENERATED"), B(ARTIFACTS), B(SUBJECT) | B(RESULT) | B(METRICS) | B(DETAIL) | ANY,
	    "a benchmark has written its report" },
	{ NAME("KEY_RELEASE_DENIED"), B(SUBJECT) | B(RESULT),
	    B(ATTESTATION_ID) | B(CLAIMS_HASH) | B(POLICY_HASH) | PACKAGE | B(DETAIL) | ANY,
	    "a device was not given a key" },
	{ NAME("KEY_RELEASE_GRANTED"), B(SUBJECT) | B(RESULT),
	    B(ATTESTATION_ID) | B(CLAIMS_HASH) | B(POLICY_HASH) | PACKAGE | B(DETAIL) | ANY,
	    "a device was given a key" },
	{ NAME("LOG_CREATED"), B(DETAIL), ANY, "record 0: the log's public keys, as verifier keys" },
	{ NAME("LOG_RECOVERED"), B(DETAIL), ANY,
	    "an unfinished write was cut off: bytes, their SHA-256, segment and offset" },
	{ NAME("MODEL_DEPLOYED"), B(SUBJECT) | B(RESULT), PACKAGE | NUMBERS | ANY,
	    "a model has been put to use by another system" },
	{ NAME("MODEL_RUN_COMPLETED"), B(SUBJECT) | B(RESULT), PACKAGE | NUMBERS | ANY,
	    "run: predictions have been made" },
	{ NAME("MODEL_RUN_FAILED"), B(SUBJECT) | B(RESULT), PACKAGE | NUMBERS | ANY,
	    "run: refused, or the model failed" },
	{ NAME("NOTE_ADDED"), B(NOTE), B(SUBJECT) | NUMBERS | B(SIGNATURE) | B(FLEET_ID) | B(AGENT_ID),
	    "somebody has written something down" },
	{ NAME("POLICY_CHANGED"), B(POLICY_HASH) | B(RESULT), B(SUBJECT) | NUMBERS | ANY,
	    "a policy has been put into force" },
	{ NAME("TGSP_BUILD_FAILED"), B(RESULT), B(SUBJECT) | PACKAGE | B(DETAIL) | ANY,
	    "build: no package has come of it" },
	{ NAME("TGSP_BUILT"), B(SUBJECT) | B(RESULT) | B(PACKAGE_HASH) | B(CONTENT_HASH), PACKAGE | NUMBERS | ANY,
	    "build: a package is complete, about to get its name" },
	{ NAME("TGSP_DEK_UNWRAP_FAILED"), B(SUBJECT) | B(RESULT), PACKAGE | B(DETAIL) | ANY,
	    "a package key could not be unwrapped" },
	{ NAME("TGSP_DEK_UNWRAP_SUCCEEDED"), B(SUBJECT) | B(RESULT), PACKAGE | B(DETAIL) | ANY,
	    "a package key has been unwrapped" },
	{ NAME("TGSP_OPEN_ALLOWED"), B(SUBJECT) | B(RESULT) | B(PACKAGE_HASH), PACKAGE | NUMBERS | ANY,
	    "open: plaintext is about to be released" },
	{ NAME("TGSP_OPEN_DENIED"), B(SUBJECT) | B(RESULT), PACKAGE | B(DETAIL) | ANY,
	    "open: refused, or it failed" },
	{ NAME("TGSP_REKEYED"), B(SUBJECT) | B(RESULT) | B(PACKAGE_HASH), PACKAGE | NUMBERS | ANY,
	    "rekey: the recipients are about to change" },
	{ NAME("TGSP_REKEY_DENIED"), B(SUBJECT) | B(RESULT), PACKAGE | B(DETAIL) | ANY,
	    "rekey: refused, or it failed" },
	{ NAME("TGSP_VERIFY_FAILED"), B(SUBJECT) | B(RESULT), PACKAGE | B(DETAIL) | ANY,
	    "verify: the package was not accepted" },
	{ NAME("TGSP_VERIFY_SUCCEEDED"), B(SUBJECT) | B(RESULT) | B(PACKAGE_HASH), PACKAGE | NUMBERS | ANY,
	    "verify: the package was accepted" },
	{ NAME("TRUST_CHANGED"), B(SUBJECT) | B(RESULT), B(DETAIL) | ANY,
	    "trust: a key is about to be added to a store, or removed" },
	{ NAME("TRUST_CHANGE_DENIED"), B(SUBJECT) | B(RESULT), B(DETAIL) | ANY, "trust: refused, or it failed" },
};
const size_t tg_event_type_count = TG_LEN(tg_event_types);

const struct tg_event_type *
tg_event_type_find(tg_bytes name)
{
	size_t low = 0, high = tg_event_type_count;

	while (low < high) {
		const size_t mid = (low + high) / 2;
		const char *t = tg_event_types[mid].name;
		const size_t n = tg_event_types[mid].name_len;
		int d = memcmp(name.p, t, name.n < n ? name.n : n);

		if (d == 0)
			d = (name.n > n) - (name.n < n);
		if (d == 0)
			return &tg_event_types[mid];
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}
