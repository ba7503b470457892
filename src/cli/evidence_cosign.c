/* evidence checkpoint --policy: asking the witnesses of a policy, and keeping what they answer. */
#include "cli/evidence.h"
#include "evidence/recover.h"
#include "evidence/witness.h"
#include "net/client.h"
#include "util/try.h"

/* ---- one witness ---- */

struct asking {
	const struct cosigning *c;
	struct tg_checkpoint checkpoint;
	tg_bytes note, text; /* as it is now; of that, what is signed */
};

/* It has seen more than this checkpoint covers. */
static tg_status
seen_more(const struct asking *a, uint64_t seen, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf note = { .max = TG_MAX_NOTE };
	struct tg_checkpoint newest;

	if (tg_checkpoint_newest(a->c->e->files, &note, &newest, NULL) == TG_OK &&
	    newest.size >= seen)
		return tg_fail(err, TG_E_CONFLICT,
		    "it has cosigned a newer checkpoint, of %llu records",
		    (unsigned long long)seen);
	return tg_fail(err, TG_E_AUTH,
	    "it has seen %llu records of this log, which has signed %llu: the log was cut, or "
	    "there are two",
	    (unsigned long long)seen, (unsigned long long)a->checkpoint.size);
}

static tg_status
request(const struct asking *a, uint64_t old, struct tg_buf *out, struct tg_error *err)
{
	const uint64_t size = a->checkpoint.size;
	struct tg_treefile tree;
	struct tg_path path = { .n = 0 };

	if (old > size)
		return seen_more(a, old, err);
	TG_TRY(tg_treefile_open(&tree, a->c->e->files, false, size, err));
	const struct tg_hashes h = tg_treefile_hashes(&tree);
	const tg_status s = tg_proof_consistency(&h, old, size, &path, err);
	tg_treefile_close(&tree);
	TG_TRY(s);
	return tg_witness_request(old, &path, a->note, out, err);
}

static tg_status
post(const struct asking *a, const char *url, uint64_t old, struct tg_http_response *ret,
    struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf body = { .max = 2 * TG_MAX_NOTE };
	const struct tg_http_limits limits = { .max_reply = TG_MAX_NOTE, .seconds = a->c->seconds };
	char full[2048];

	const size_t n = strlen(url);
	TG_REQUIRE(snprintf(full, sizeof(full), "%s%sadd-checkpoint", url,
		       n > 0 && url[n - 1] == '/' ? "" : "/") < (int)sizeof(full),
	    err, TG_E_LIMIT, "URL too long");
	TG_TRY(request(a, old, &body, err));
	return tg_http_request(
	    full, "POST", "text/plain; charset=utf-8", tg_buf_view(&body), &limits, ret, err);
}

/* What it has seen, from the body of a 409. */
static tg_status
seen_size(const struct tg_http_response *r, uint64_t *ret, struct tg_error *err)
{
	char text[24] = "";

	TG_REQUIRE(r->body.n > 1 && r->body.n < sizeof(text) && r->body.p[r->body.n - 1] == '\n',
	    err, TG_E_FORMAT, "its 409 names no size");
	memcpy(text, r->body.p, r->body.n - 1);
	return tg_parse_uint(text, "its 409", TG_MAX_JSON_INT, ret, err);
}

static tg_status
refused(unsigned status, struct tg_error *err)
{
	switch (status) {
	case 403:
		return tg_fail(
		    err, TG_E_AUTH, "HTTP status 403: it does not accept the log's signature");
	case 404:
		return tg_fail(
		    err, TG_E_AUTH, "HTTP status 404: it does not know this log, or is no witness");
	case 409:
		return tg_fail(
		    err, TG_E_CONFLICT, "HTTP status 409, again: somebody else is asking it");
	case 422:
		return tg_fail(err, TG_E_AUTH,
		    "HTTP status 422: the log does not extend what it has seen: it was changed, or "
		    "there are two");
	default:
		return tg_fail(err, TG_E_IO, "HTTP status %u", status);
	}
}

/* First with nothing, which says what it has; then from there. Appends its lines. */
static tg_status
ask(const struct asking *a, const char *url, struct tg_buf *lines, struct tg_error *err)
{
	TG_AUTO(tg_http_response_done) struct tg_http_response r = { .status = 0 };
	uint64_t old = 0;

	for (int attempt = 0; attempt < 3; attempt++) {
		tg_http_response_done(&r);
		TG_TRY(post(a, url, old, &r, err));
		if (r.status != 409)
			break;
		TG_TRY(seen_size(&r, &old, err));
	}
	if (r.status != 200)
		return refused(r.status, err);
	return tg_witness_accept(
	    a->c->policy, &a->checkpoint, a->text, tg_buf_view(&r.body), lines, err);
}

/* ---- all of them ---- */

static bool
asked_before(const struct tg_log_policy *p, size_t i, const char *url)
{
	for (size_t j = 0; j < i; j++) {
		const char *other = tg_log_policy_witness(p, j).url;

		if (other != NULL && strcmp(other, url) == 0)
			return true;
	}
	return false;
}

/* *ret_first: the status of the first that did not cosign. */
static tg_status
gather(const struct asking *a, struct tg_buf *lines, tg_status *ret_first, struct tg_error *err)
{
	const struct tg_log_policy *p = a->c->policy;

	*ret_first = TG_OK;
	for (size_t i = 0; i < tg_log_policy_witnesses(p); i++) {
		const struct tg_log_policy_witness w = tg_log_policy_witness(p, i);
		struct tg_error why = TG_ERROR_INIT;

		if (w.url == NULL || asked_before(p, i, w.url))
			continue;
		const tg_status s = ask(a, w.url, lines, &why);
		if (s == TG_E_NOMEM)
			return tg_fail(err, s, "%s", why.text);
		if (s != TG_OK)
			tg_note("witness %s: %s", w.name, why.text);
		if (*ret_first == TG_OK)
			*ret_first = s;
	}
	return TG_OK;
}

/* ---- keeping it ---- */

static bool
has_line_of(const struct tg_note *n, const struct tg_note_line *line)
{
	for (size_t i = 0; i < n->n; i++)
		if (tg_bytes_equal((tg_bytes){ n->line[i].id, TG_NOTE_ID_LEN },
			(tg_bytes){ line->id, TG_NOTE_ID_LEN }) &&
		    tg_bytes_equal(n->line[i].name, line->name))
			return true;
	return false;
}

static tg_status
put_lines(const struct tg_note *from, const struct tg_note *but_of, struct tg_buf *out,
    struct tg_error *err)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct tg_note_line *l = &from->line[i];
		char name[TG_NOTE_NAME_MAX + 1];

		if (but_of != NULL && has_line_of(but_of, l))
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)l->name.n, (const char *)l->name.p);
		TG_REQUIRE(tg_note_put_line(out, name, l->id, l->sig) == TG_OK, err, TG_E_NOMEM,
		    "checkpoint: out of memory");
	}
	return TG_OK;
}

/* `note` with these lines, each in place of one that the same key has there. */
static tg_status
merge(tg_bytes note, tg_bytes text, tg_bytes lines, struct tg_buf *out, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf new_text = { .max = 2 * TG_MAX_NOTE };
	TG_AUTO(tg_note_done) struct tg_note old = { .n = 0 };
	TG_AUTO(tg_note_done) struct tg_note new = { .n = 0 };

	TG_REQUIRE(tg_buf_put(&new_text, text.p, text.n) == TG_OK &&
		tg_buf_put_u8(&new_text, '\n') == TG_OK &&
		tg_buf_put(&new_text, lines.p, lines.n) == TG_OK &&
		tg_buf_put(out, text.p, text.n) == TG_OK && tg_buf_put_u8(out, '\n') == TG_OK,
	    err, TG_E_NOMEM, "checkpoint: out of memory");
	TG_TRY(tg_note_parse(note, "checkpoint", &old, err));
	TG_TRY(tg_note_parse(tg_buf_view(&new_text), "cosignatures", &new, err));
	TG_REQUIRE(tg_bytes_equal(old.text, text), err, TG_E_CONFLICT,
	    "checkpoint: another has taken its place meanwhile");
	TG_TRY(put_lines(&old, &new, out, err));
	return put_lines(&new, NULL, out, err);
}

/* Alone, because others may append, sign, or ask too. `checkpoint` stays when it is a newer one. */
static tg_status
keep(const struct asking *a, tg_bytes lines, struct tg_buf *out, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf stored = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_buf_done) struct tg_buf note = { .max = TG_MAX_NOTE };
	const struct tg_log_files *f = a->c->e->files;
	char name[TG_SEGMENT_NAME_MAX];
	struct tg_checkpoint newest;

	tg_checkpoint_name(name, a->checkpoint.size);
	TG_TRY(tg_log_file_read(f, name, &stored, err));
	TG_TRY(merge(tg_buf_view(&stored), a->text, lines, out, err));
	TG_TRY(f->replace(f->ctx, name, out->p, out->n, err));
	TG_TRY(tg_checkpoint_newest(f, &note, &newest, err));
	return newest.size == a->checkpoint.size
	    ? f->replace(f->ctx, "checkpoint", out->p, out->n, err)
	    : TG_OK;
}

static tg_status
keep_locked(const struct asking *a, tg_bytes lines, struct tg_buf *out, struct tg_error *err)
{
	const struct tg_log_files *f = a->c->e->files;
	void *lock = NULL;

	TG_TRY(f->lock(f->ctx, ELOG_WAIT_MS, &lock, err));
	const tg_status s = keep(a, lines, out, err);
	f->unlock(f->ctx, lock);
	return s;
}

/* A witness that does not answer is no failure as long as the policy's quorum is met. */
tg_status
cosign(const struct cosigning *c, struct tg_buf *note, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf lines = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_buf_done) struct tg_buf all = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_note_done) struct tg_note n = { .n = 0 };
	struct asking a = { .c = c, .note = tg_buf_view(note) };
	struct tg_error why = TG_ERROR_INIT;
	tg_status first = TG_OK;

	TG_TRY(tg_note_parse(a.note, "checkpoint", &n, err));
	TG_TRY(tg_checkpoint_parse(n.text, "checkpoint", &a.checkpoint, err));
	a.text = n.text;
	TG_TRY(gather(&a, &lines, &first, err));
	if (lines.n > 0) {
		const tg_status s = keep_locked(&a, tg_buf_view(&lines), &all, &why);

		TG_REQUIRE(s == TG_OK, err, s,
		    "the checkpoint is signed, but its cosignatures are not kept: %s", why.text);
		note->n = 0;
		TG_REQUIRE(tg_buf_put(note, all.p, all.n) == TG_OK, err, TG_E_NOMEM,
		    "checkpoint: out of memory");
	}
	struct tg_checkpoint unused;
	const tg_status s =
	    tg_log_policy_check(c->policy, tg_buf_view(note), "checkpoint", true, &unused, &why);
	TG_REQUIRE(s == TG_OK, err, first == TG_OK ? s : first, "the checkpoint is signed, but: %s",
	    why.text);
	return TG_OK;
}
