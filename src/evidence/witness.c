#include "evidence/witness.h"

#include "crypto/hash.h"
#include "util/text.h"
#include "util/try.h"

#define PLAIN_TEXT	 "text/plain; charset=utf-8"
#define SIZE_TEXT	 "text/x.tlog.size"
#define MAX_PROOF_HASHES 63 /* tlog-witness */
#define HASH_TEXT	 64 /* hex digits of an origin's hash */

/* ---- replies ---- */

static void
reply_init(struct tg_witness_reply *r)
{
	*r = (struct tg_witness_reply){ .status = 500, .content_type = PLAIN_TEXT };
	tg_buf_init(&r->body, TG_MAX_NOTE);
}

/* What the asker may read; nothing about why this side failed. */
static void
reply_failure(struct tg_witness_reply *r, int status, const struct tg_error *why)
{
	tg_buf_done(&r->body);
	r->status = status;
	r->content_type = PLAIN_TEXT;
	if (tg_buf_put_str(&r->body, status == 500 ? "internal error" : why->text) != TG_OK ||
	    tg_buf_put_str(&r->body, "\n") != TG_OK)
		tg_buf_done(&r->body);
}

/* The status of a failure, where there is one for what was sent: `refused` for what does not match.
 */
static int
http_of(tg_status s, int refused)
{
	switch (s) {
	case TG_E_FORMAT:
	case TG_E_LIMIT:
	case TG_E_UNSUPPORTED:
		return 400;
	case TG_E_NOTFOUND:
		return 404;
	case TG_E_AUTH:
		return refused;
	case TG_OK:
	case TG_E_USAGE:
	case TG_E_NOMEM:
	case TG_E_IO:
	case TG_E_POLICY:
	case TG_E_CONFLICT:
	case TG_E_BUSY:
	case TG_E_INTERNAL:
	case TG_STATUS_COUNT:
		break;
	}
	return 500;
}

/* ---- add-checkpoint ---- */

/* A request, and what is known of its log. */
struct adding {
	const struct tg_witness *w;
	int64_t now;
	int http; /* the status to fail with */

	uint64_t old;
	struct tg_path path;
	tg_bytes note; /* borrowed from the request */
	struct tg_checkpoint new;

	char origin_hash[HASH_TEXT + 1];
	struct tg_checkpoint last; /* size 0 when there is none */
};

static tg_status
read_request(struct adding *a, tg_bytes body, struct tg_error *err)
{
	static const char what[] = "add-checkpoint";
	tg_bytes rest = body, line = { NULL, 0 };

	TG_REQUIRE(tg_line_take(&rest, &line) && tg_prefix_take(&line, "old ") &&
		tg_decimal_decode(line, &a->old),
	    err, TG_E_FORMAT, "%s: \"old\" and a number expected", what);
	TG_TRY(tg_path_take(&rest, what, &a->path, err));
	TG_REQUIRE(a->path.n <= MAX_PROOF_HASHES, err, TG_E_LIMIT,
	    "%s: a proof of more than %d hashes", what, MAX_PROOF_HASHES);
	a->note = rest;
	return TG_OK;
}

static tg_status
hash_origin(struct adding *a, struct tg_error *err)
{
	const tg_bytes origin = tg_bytes_str(a->new.origin);
	uint8_t hash[32];

	TG_TRY(tg_sha256(&origin, 1, hash, err));
	tg_hex_encode(a->origin_hash, (tg_bytes){ hash, sizeof(hash) });
	return TG_OK;
}

/* What was cosigned last for this log. */
static tg_status
recall(struct adding *a, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf stored = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_note_done) struct tg_note note = { .n = 0 };
	const struct tg_witness_memory *m = &a->w->memory;

	TG_TRY(hash_origin(a, err));
	tg_status s = m->load(m->ctx, a->origin_hash, &stored, err);
	if (s == TG_E_NOTFOUND) {
		a->last.size = 0;
		return tg_sha256(NULL, 0, a->last.root, err);
	}
	TG_TRY(s);
	TG_TRY(tg_note_parse(tg_buf_view(&stored), "witness's memory", &note, err));
	TG_TRY(tg_checkpoint_parse(note.text, "witness's memory", &a->last, err));
	TG_REQUIRE(strcmp(a->last.origin, a->new.origin) == 0, err, TG_E_INTERNAL,
	    "witness's memory: a checkpoint of %s, of %s expected", a->last.origin, a->new.origin);
	return TG_OK;
}

/* TG_E_CONFLICT: another old size than the one remembered. */
static tg_status
check_extends(struct adding *a, struct tg_error *err)
{
	a->http = 400;
	TG_REQUIRE(a->old <= a->new.size, err, TG_E_FORMAT,
	    "add-checkpoint: from %llu to %llu: the tree would shrink", (unsigned long long)a->old,
	    (unsigned long long)a->new.size);
	a->http = 500;
	TG_TRY(recall(a, err));
	a->http = 409;
	TG_REQUIRE(a->old == a->last.size, err, TG_E_CONFLICT,
	    "add-checkpoint: %s: old size %llu, %llu expected", a->new.origin,
	    (unsigned long long)a->old, (unsigned long long)a->last.size);
	tg_status s = tg_proof_check_consistency(
	    a->old, a->last.root, a->new.size, a->new.root, &a->path, err);
	a->http = s == TG_E_AUTH ? 422 : 500;
	return s;
}

/* The log's checked lines, each key's first, and room left for the witness's own two. */
static tg_status
keep_log_lines(const struct adding *a, const struct tg_note *note, struct tg_buf *out)
{
	const struct tg_note_key *kept[TG_MAX_NOTE_LINES - 2];
	size_t n = 0;

	for (size_t i = 0; i < note->n && n < TG_LEN(kept); i++) {
		const struct tg_note_line *line = &note->line[i];
		const struct tg_note_key *key =
		    tg_log_policy_log_key(a->w->logs, a->new.origin, line);
		bool again = key == NULL;

		for (size_t j = 0; !again && j < n; j++)
			again = kept[j] == key;
		if (again)
			continue;
		TG_TRY(tg_note_put_line(out, key->name, key->id, line->sig));
		kept[n++] = key;
	}
	return TG_OK;
}

/* Cosign, and remember it before anybody sees the cosignature. */
static tg_status
cosign(struct adding *a, struct tg_buf *ret, struct tg_error *err)
{
	TG_AUTO(tg_note_done) struct tg_note note = { .n = 0 };
	TG_AUTO(tg_buf_done) struct tg_buf lines = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_buf_done) struct tg_buf stored = { .max = TG_MAX_NOTE };
	const struct tg_witness_memory *m = &a->w->memory;

	TG_TRY(tg_checkpoint_cosign(&a->new, a->w->name, a->w->key, a->now, &lines, err));
	TG_TRY(tg_note_parse(a->note, "add-checkpoint", &note, err));
	TG_REQUIRE(tg_buf_put(&stored, note.text.p, note.text.n) == TG_OK &&
		tg_buf_put_str(&stored, "\n") == TG_OK &&
		keep_log_lines(a, &note, &stored) == TG_OK &&
		tg_buf_put(&stored, lines.p, lines.n) == TG_OK,
	    err, TG_E_NOMEM, "add-checkpoint: out of memory");
	TG_TRY(m->save(m->ctx, a->origin_hash, tg_buf_view(&stored), err));
	TG_REQUIRE(tg_buf_put(ret, lines.p, lines.n) == TG_OK, err, TG_E_NOMEM,
	    "add-checkpoint: out of memory");
	return TG_OK;
}

static tg_status
add_checkpoint(struct adding *a, tg_bytes body, struct tg_buf *ret, struct tg_error *err)
{
	a->http = 400;
	TG_TRY(read_request(a, body, err));
	tg_status s =
	    tg_log_policy_check(a->w->logs, a->note, "add-checkpoint", false, &a->new, err);
	a->http = http_of(s, 403);
	TG_TRY(s);
	TG_TRY(check_extends(a, err));
	a->http = 500;
	return cosign(a, ret, err);
}

void
tg_witness_add_checkpoint(const struct tg_witness *w, tg_bytes body, int64_t now,
    struct tg_witness_reply *ret, struct tg_error *err)
{
	struct adding a = { .w = w, .now = now };
	struct tg_error why = TG_ERROR_INIT;

	reply_init(ret);
	tg_status s = add_checkpoint(&a, body, &ret->body, &why);
	if (s == TG_OK) {
		ret->status = 200;
		return;
	}
	if (err != NULL)
		*err = why;
	reply_failure(ret, a.http, &why);
	if (a.http == 409) {
		tg_buf_done(&ret->body);
		ret->content_type = SIZE_TEXT;
		if (tg_decimal_put(&ret->body, a.last.size) != TG_OK ||
		    tg_buf_put_str(&ret->body, "\n") != TG_OK)
			reply_failure(ret, 500, &why);
	}
}

/* ---- the newest checkpoint ---- */

static tg_status
load_checkpoint(
    const struct tg_witness *w, tg_bytes origin_hash, struct tg_buf *ret, struct tg_error *err)
{
	uint8_t hash[HASH_TEXT / 2];
	char text[HASH_TEXT + 1];

	TG_REQUIRE(tg_hex_decode(hash, sizeof(hash), origin_hash), err, TG_E_NOTFOUND,
	    "checkpoint: an origin's SHA-256 in hex expected");
	tg_hex_encode(text, (tg_bytes){ hash, sizeof(hash) });
	return w->memory.load(w->memory.ctx, text, ret, err);
}

void
tg_witness_checkpoint(const struct tg_witness *w, tg_bytes origin_hash,
    struct tg_witness_reply *ret, struct tg_error *err)
{
	struct tg_error why = TG_ERROR_INIT;

	reply_init(ret);
	tg_status s = load_checkpoint(w, origin_hash, &ret->body, &why);
	if (s == TG_OK) {
		ret->status = 200;
		return;
	}
	if (err != NULL)
		*err = why;
	reply_failure(ret, s == TG_E_NOTFOUND ? 404 : 500, &why);
}

/* ---- a log's side ---- */

tg_status
tg_witness_request(uint64_t old, const struct tg_path *proof, tg_bytes note, struct tg_buf *out,
    struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = 2 * TG_MAX_NOTE };

	TG_REQUIRE(proof->n <= MAX_PROOF_HASHES, err, TG_E_USAGE,
	    "add-checkpoint: a proof of %u hashes", proof->n);
	TG_REQUIRE(tg_buf_put_str(&text, "old ") == TG_OK && tg_decimal_put(&text, old) == TG_OK &&
		tg_buf_put_str(&text, "\n") == TG_OK && tg_path_put(proof, &text) == TG_OK &&
		tg_buf_put_str(&text, "\n") == TG_OK &&
		tg_buf_put(&text, note.p, note.n) == TG_OK &&
		tg_buf_put(out, text.p, text.n) == TG_OK,
	    err, TG_E_NOMEM, "add-checkpoint: no memory for a request");
	return TG_OK;
}

/* Those lines of known witnesses that are new to `out`, checked. */
static tg_status
accept_lines(const struct tg_log_policy *p, const struct tg_checkpoint *c,
    const struct tg_note *note, struct tg_buf *out, struct tg_error *err)
{
	const struct tg_note_key *taken[TG_MAX_NOTE_LINES];
	size_t n = 0;

	for (size_t i = 0; i < note->n; i++) {
		const struct tg_note_line *line = &note->line[i];
		const struct tg_note_key *key = tg_log_policy_witness_key(p, line);
		bool again = false;
		int64_t time = 0;

		if (key == NULL)
			continue;
		TG_TRY(tg_checkpoint_check_line(c, note->text, line, key, &time, err));
		TG_REQUIRE(time > 0, err, TG_E_AUTH, "cosignature of %s without a time", key->name);
		for (size_t j = 0; !again && j < n; j++)
			again = taken[j] == key;
		if (again)
			continue;
		TG_REQUIRE(tg_note_put_line(out, key->name, key->id, line->sig) == TG_OK, err,
		    TG_E_NOMEM, "cosignatures: out of memory");
		taken[n++] = key;
	}
	TG_REQUIRE(n > 0, err, TG_E_AUTH, "cosignatures: none of a witness that the policy knows");
	return TG_OK;
}

tg_status
tg_witness_accept(const struct tg_log_policy *p, const struct tg_checkpoint *c, tg_bytes text,
    tg_bytes reply, struct tg_buf *out, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf whole = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_buf_done) struct tg_buf lines = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_note_done) struct tg_note note = { .n = 0 };

	TG_REQUIRE(text.n < TG_MAX_NOTE && reply.n < TG_MAX_NOTE - text.n, err, TG_E_LIMIT,
	    "cosignatures: %zu bytes, too many for a note", reply.n);
	TG_REQUIRE(tg_buf_put(&whole, text.p, text.n) == TG_OK &&
		tg_buf_put_str(&whole, "\n") == TG_OK &&
		tg_buf_put(&whole, reply.p, reply.n) == TG_OK,
	    err, TG_E_NOMEM, "cosignatures: out of memory");
	TG_TRY(tg_note_parse(tg_buf_view(&whole), "cosignatures", &note, err));
	/* an empty line among them would make some of them text */
	TG_REQUIRE(tg_bytes_equal(note.text, text), err, TG_E_FORMAT,
	    "cosignatures: signature lines alone expected");
	TG_TRY(accept_lines(p, c, &note, &lines, err));
	TG_REQUIRE(tg_buf_put(out, lines.p, lines.n) == TG_OK, err, TG_E_NOMEM,
	    "cosignatures: out of memory");
	return TG_OK;
}
