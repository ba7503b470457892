#include "cli/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <tensorguard/log.h>

#include "cli/evidence.h"
#include "crypto/hash.h"
#include "evidence/types.h"
#include "tgsp/package.h"
#include "util/text.h"
#include "util/try.h"

#define WAIT_MS   10000 /* for other processes that append */
#define ACTOR_MAX 255
#define TEXT_MAX  1024

/* ---- text from outside ---- */

/* Bytes of the UTF-8 character at p; 0 for none, or for a control character. */
static size_t
character(const uint8_t *p, size_t n)
{
	const size_t len = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	const bool c1 = n >= 2 && *p == 0xc2 && p[1] < 0xa0;

	if (len > n || *p < 0x20 || *p == 0x7f || c1 || !tg_utf8_valid((tg_bytes){ p, len }))
		return 0;
	return len;
}

/* Fit for an event: what is no character becomes '?', and at most `max` bytes are taken, counted as
 * they stand in JSON. */
static struct tg_json *
fit(const char *text, size_t max)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t left = strlen(text), n = 0, written = 0;
	char out[TEXT_MAX];

	while (left > 0) {
		const size_t len = character(p, left);
		const size_t step = len == 0 ? 1 : len;

		written += step + (*p == '"' || *p == '\\');
		if (written > max)
			break;
		memcpy(out + n, len == 0 ? (const uint8_t *)"?" : p, step);
		n += step;
		p += step;
		left -= step;
	}
	return tg_json_new_str((tg_bytes){ (const uint8_t *)out, n });
}

/* ---- who ---- */

static tg_status
named_actor(const char *name, struct tg_json *who, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *id = fit(name, ACTOR_MAX);

	TG_REQUIRE(id != NULL, err, TG_E_NOMEM, "evidence: out of memory");
	TG_REQUIRE(*name != '\0' && tg_bytes_equal(tg_json_str(id), tg_bytes_str(name)), err, TG_E_USAGE,
	    "--actor: 1 ... %u bytes of text without control characters expected", ACTOR_MAX);
	TG_REQUIRE(tg_json_set(who, "id", tg_json_copy(id)) == TG_OK, err, TG_E_NOMEM,
	    "evidence: out of memory");
	return TG_OK;
}

static tg_status
find_actor(struct recorder *r, struct tg_error *err)
{
	char user[512];

	if (r->actor == NULL) {
		cli_actor(user);
		return tg_json_parse(tg_bytes_str(user), TG_JSON_CANONICAL, "actor", &r->who, err);
	}
	r->who = tg_json_new_object();
	TG_REQUIRE(r->who != NULL &&
		tg_json_set(r->who, "type", tg_json_new_str(tg_bytes_str("user"))) == TG_OK,
	    err, TG_E_NOMEM, "evidence: out of memory");
	return named_actor(r->actor, r->who, err);
}

/* ---- the log ---- */

/* Open it, append unless the event is empty, and close it. */
static tg_status
append(const struct recorder *r, tg_bytes event, struct tg_error *err)
{
	const struct tg_log_options options = { .now = cli_clock_us, .wait_ms = WAIT_MS };
	TG_AUTO(tg_log_folder_closep) struct tg_log_folder *folder = NULL;
	TG_AUTO(tg_log_closep) struct tg_log *log = NULL;
	struct tg_log_entry entry;

	TG_TRY(tg_log_folder_open(r->log, 0, &folder, err));
	TG_TRY(tg_log_open(tg_log_folder_files(folder), &options, &log, err));
	return event.n == 0 ? TG_OK : tg_log_append(log, event, &entry, err);
}

static tg_status
use_log(const struct recorder *r, tg_bytes event, struct tg_error *err)
{
	struct tg_error why = TG_ERROR_INIT;
	const tg_status s = append(r, event, &why);

	errno = why.sys_errno;
	TG_REQUIRE(s != TG_E_NOTFOUND, err, s,
	    "evidence: no log in %s ('tensorguard evidence create %s' makes one)", r->log, r->log);
	TG_REQUIRE(s != TG_E_BUSY, err, s, "evidence: %s, still after %d s", why.text, WAIT_MS / 1000);
	/* "auth" is for packages and keys: a log whose hashes do not fit is a damaged one */
	TG_REQUIRE(s == TG_OK, err, s == TG_E_AUTH ? TG_E_FORMAT : s, "evidence: %s: %s", r->log,
	    why.text);
	return TG_OK;
}

tg_status
recorder_start(struct recorder *r, struct tg_error *err)
{
	const char *log = getenv("TG_EVIDENCE");

	if (r->log == NULL && log != NULL && *log != '\0')
		r->log = log;
	if (r->log == NULL)
		return TG_OK;
	TG_TRY(find_actor(r, err));
	r->facts = tg_json_new_object();
	TG_REQUIRE(r->facts != NULL, err, TG_E_NOMEM, "evidence: out of memory");
	return use_log(r, (tg_bytes){ NULL, 0 }, err);
}

void
recorder_done(struct recorder *r)
{
	tg_json_free(r->who);
	tg_json_free(r->facts);
}

/* ---- facts ---- */

static void
keep(struct recorder *r, tg_status s)
{
	if (s != TG_OK && r->lost == TG_OK)
		r->lost = s;
}

/* Takes `value` over. */
static void
put(struct recorder *r, const char *section, const char *key, struct tg_json *value)
{
	const struct tg_json *present = tg_json_get(r->facts, section);
	struct tg_json *o = present == NULL ? tg_json_new_object() : tg_json_copy(present);

	if (o == NULL) {
		tg_json_free(value);
		keep(r, TG_E_NOMEM);
		return;
	}
	keep(r, tg_json_set(o, key, value));
	keep(r, tg_json_set(r->facts, section, o));
}

void
recorder_text(struct recorder *r, const char *section, const char *key, const char *text)
{
	if (r->log != NULL && text != NULL && *text != '\0')
		put(r, section, key, fit(text, TEXT_MAX));
}

void
recorder_number(struct recorder *r, const char *section, const char *key, int64_t v)
{
	const int64_t most = TG_MAX_JSON_INT;

	if (r->log != NULL)
		put(r, section, key, tg_json_new_int(v > most ? most : v < -most ? -most : v));
}

void
recorder_flag(struct recorder *r, const char *section, const char *key, bool v)
{
	if (r->log != NULL)
		put(r, section, key, tg_json_new_bool(v));
}

void
recorder_id(struct recorder *r, const char *section, const char *key,
    const uint8_t id[static TG_KEY_ID_LEN])
{
	if (r->log != NULL)
		put(r, section, key, tg_json_new_hex((tg_bytes){ id, TG_KEY_ID_LEN }));
}

static void
put_hash(struct recorder *r, const char *key, const uint8_t hash[static TG_HASH_LEN])
{
	keep(r, tg_json_set(r->facts, key, tg_json_new_hex((tg_bytes){ hash, TG_HASH_LEN })));
}

static void
put_hash_of(struct recorder *r, const char *key, const struct tg_buf *b)
{
	const tg_bytes bytes = tg_buf_view(b);
	uint8_t hash[TG_HASH_LEN];
	const tg_status s = tg_sha256(&bytes, 1, hash, NULL);

	keep(r, s);
	if (s == TG_OK)
		put_hash(r, key, hash);
}

/* What the bytes are, whoever wrote them. */
static void
put_bytes(struct recorder *r, const struct tgsp_envelope *e)
{
	put_hash(r, "package_hash", e->package_hash);
	put_hash_of(r, "manifest_hash", &e->frame.manifest);
	put_hash_of(r, "recipients_hash", &e->frame.recipients);
}

/* What they say. */
static void
put_claims(struct recorder *r, const struct tgsp_envelope *e)
{
	recorder_text(r, "subject", "model_ref", e->manifest->model_name);
	recorder_text(r, "subject", "model_version", e->manifest->model_version);
	recorder_id(r, "detail", "author_key_id", e->manifest->author);
	put_hash(r, "content_hash", e->manifest->content_hash);
	put_hash(r, "payload_hash", e->header.root);
}

void
recorder_package(struct recorder *r, const struct tg_package *p)
{
	if (r->log == NULL)
		return;
	put_bytes(r, p->envelope);
	put_claims(r, p->envelope);
}

void
recorder_refused_package(struct recorder *r, const struct tg_source *src)
{
	TG_AUTO(tgsp_envelope_freep) struct tgsp_envelope *e = NULL;

	if (r->log != NULL && tgsp_envelope_read(src, &e, NULL) == TG_OK)
		put_bytes(r, e);
}

tg_status
recorder_new_package(struct recorder *r, const struct tg_newfile *f, struct tg_error *err)
{
	TG_AUTO(tg_file_closep) struct tg_file *file = NULL;
	TG_AUTO(tgsp_envelope_freep) struct tgsp_envelope *e = NULL;

	if (r->log == NULL)
		return TG_OK;
	const int fd = fcntl(tg_newfile_fd(f), F_DUPFD_CLOEXEC, 0);
	TG_REQUIRE(fd >= 0, err, TG_E_IO, "evidence: %m");
	TG_TRY(tg_file_from_fd(fd, "the new package", &file, err));
	const struct tg_source src = tg_file_source(file);
	TG_TRY(tgsp_envelope_read(&src, &e, err));
	put_bytes(r, e);
	put_claims(r, e);
	recorder_number(r, "metrics", "package_size", (int64_t)src.size);
	return TG_OK;
}

/* ---- events ---- */

/* s == TG_OK, or why not. */
static struct tg_json *
result(tg_status s, const char *why)
{
	const char *status = s == TG_OK ? "success"
	    : s == TG_E_AUTH || s == TG_E_POLICY ? "denied" : "failure";
	struct tg_json *o = tg_json_new_object();

	if (o == NULL || tg_json_set(o, "status", tg_json_new_str(tg_bytes_str(status))) != TG_OK ||
	    (s != TG_OK &&
		(tg_json_set(o, "code", tg_json_new_str(tg_bytes_str(tg_status_name(s)))) != TG_OK ||
		    tg_json_set(o, "reason", fit(*why == '\0' ? tg_status_name(s) : why, TEXT_MAX)) !=
			TG_OK))) {
		tg_json_free(o);
		return NULL;
	}
	return o;
}

/* The facts that the type has room for. */
static tg_status
take_facts(const struct recorder *r, const struct tg_event_type *type, struct tg_json *event)
{
	for (size_t m = 0; m < TG_MEMBERS; m++) {
		const char *key = tg_member_rules[m].key;
		const struct tg_json *v = tg_json_get(r->facts, key);

		if (v != NULL && ((type->required | type->allowed) & TG_M_BIT(m)) != 0)
			TG_TRY(tg_json_set(event, key, tg_json_copy(v)));
	}
	return TG_OK;
}

static tg_status
write_event(const struct recorder *r, const char *type, tg_status s, const char *why,
    struct tg_buf *out, struct tg_error *err)
{
	const struct tg_event_type *t = tg_event_type_find(tg_bytes_str(type));
	TG_AUTO(tg_json_freep) struct tg_json *event = tg_json_new_object();

	TG_REQUIRE(t != NULL, err, TG_E_INTERNAL, "evidence: no event is called %s", type);
	TG_REQUIRE(r->lost == TG_OK, err, r->lost, "evidence: no memory for what there is to record");
	TG_REQUIRE(event != NULL && take_facts(r, t, event) == TG_OK &&
		tg_json_set(event, "event_type", tg_json_new_str(tg_bytes_str(type))) == TG_OK &&
		tg_json_set(event, "actor", tg_json_copy(r->who)) == TG_OK &&
		tg_json_set(event, "result", result(s, why)) == TG_OK,
	    err, TG_E_NOMEM, "evidence: out of memory");
	return tg_json_write(event, out, err);
}

static tg_status
record(struct recorder *r, const char *type, tg_status s, const char *why, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf event = { .max = TG_MAX_LOG_RECORD };

	tg_status recorded = write_event(r, type, s, why, &event, err);
	if (recorded == TG_OK)
		recorded = use_log(r, tg_buf_view(&event), err);
	r->broken = recorded != TG_OK;
	return recorded;
}

tg_status
recorder_success(struct recorder *r, const char *type, struct tg_error *err)
{
	return r->log == NULL ? TG_OK : record(r, type, TG_OK, "", err);
}

tg_status
recorder_failure(struct recorder *r, const char *type, tg_status s, struct tg_error *err)
{
	struct tg_error why = TG_ERROR_INIT;

	if (r->log == NULL || r->broken)
		return s;
	const tg_status recorded = record(r, type, s, err->text, &why);
	if (recorded == TG_OK)
		return s;
	/* both, neither crowding the other out */
	const struct tg_error first = *err;
	errno = why.sys_errno;
	return tg_fail(err, recorded, "%.230s; that %.230s (%s) could not be recorded", why.text,
	    first.text, tg_status_name(s));
}
