/* evidence verify --checkpoint: a checkpoint that was kept elsewhere, as one of the log's own. */
#include "cli/evidence.h"
#include "evidence/policy.h"
#include "evidence/recover.h"
#include "util/file.h"
#include "util/try.h"

/* The files of a log, and one more. */
struct kept {
	const struct tg_log_files *under;
	tg_bytes note;
	struct tg_checkpoint c;
	char name[TG_SEGMENT_NAME_MAX]; /* in the log */
};

/* ---- files: reading alone, which is all that checking does ---- */

static tg_status
kept_open(void *ctx, const char *name, int create, void **ret, struct tg_error *err)
{
	struct kept *k = ctx;

	if (strcmp(name, k->name) != 0)
		return k->under->open(k->under->ctx, name, create, ret, err);
	*ret = k;
	return TG_OK;
}

static void
kept_close(void *ctx, void *file)
{
	struct kept *k = ctx;

	if (file != k)
		k->under->close(k->under->ctx, file);
}

static tg_status
kept_size(void *ctx, void *file, uint64_t *ret, struct tg_error *err)
{
	struct kept *k = ctx;

	if (file != k)
		return k->under->size(k->under->ctx, file, ret, err);
	*ret = k->note.n;
	return TG_OK;
}

static tg_status
kept_read_at(void *ctx, void *file, void *buf, size_t n, uint64_t offset, struct tg_error *err)
{
	struct kept *k = ctx;

	if (file != k)
		return k->under->read_at(k->under->ctx, file, buf, n, offset, err);
	TG_REQUIRE(
	    offset <= k->note.n && n <= k->note.n - offset, err, TG_E_IO, "%s: too short", k->name);
	memcpy(buf, k->note.p + offset, n);
	return TG_OK;
}

static tg_status
kept_list(void *ctx, const char *folder,
    tg_status (*found)(void *to, const char *name, struct tg_error *err), void *to,
    struct tg_error *err)
{
	struct kept *k = ctx;

	if (strcmp(folder, "checkpoints") == 0)
		TG_TRY(found(to, k->name + strlen("checkpoints/"), err));
	return k->under->list(k->under->ctx, folder, found, to, err);
}

/* ---- checking ---- */

static tg_status
read_note(tg_bytes note, const char *what, struct tg_checkpoint *ret, struct tg_error *err)
{
	TG_AUTO(tg_note_done) struct tg_note n = { .n = 0 };

	TG_TRY(tg_note_parse(note, what, &n, err));
	return tg_checkpoint_parse(n.text, what, ret, err);
}

/* The log has a checkpoint of this size, which is right: the kept one has to be the same. */
static tg_status
same_as(const struct kept *k, const struct tg_buf *stored, struct tg_log_report *r,
    struct tg_error *err)
{
	struct tg_checkpoint c;

	TG_TRY(read_note(tg_buf_view(stored), k->name, &c, err));
	if (strcmp(c.origin, k->c.origin) == 0 &&
	    tg_bytes_equal((tg_bytes){ c.root, 32 }, (tg_bytes){ k->c.root, 32 }))
		return TG_OK;
	r->bad_sequence = r->before = 0;
	r->after = k->c.size;
	return tg_fail(err, TG_E_AUTH,
	    "there are two logs: the kept checkpoint is not the one of %llu records that it has",
	    (unsigned long long)k->c.size);
}

tg_status
kept_load(
    const char *path, const struct tg_log_policy *policy, struct tg_buf *note, struct tg_error *err)
{
	struct tg_error why = TG_ERROR_INIT;
	struct tg_checkpoint c;

	TG_TRY(tg_file_read(path, note, err));
	const tg_status s = policy == NULL
	    ? read_note(tg_buf_view(note), path, &c, &why)
	    : tg_log_policy_check(policy, tg_buf_view(note), path, false, &c, &why);
	TG_REQUIRE(s == TG_OK, err, s == TG_E_NOTFOUND ? TG_E_AUTH : s, "%s", why.text);
	return TG_OK;
}

tg_status
kept_verify(const struct tg_log_files *files, const struct tg_buf *note,
    const struct tg_log_policy *policy, unsigned threads, const struct tg_progress *progress,
    struct tg_log_report *ret, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf stored = { .max = TG_MAX_NOTE };
	struct kept k = { .under = files, .note = tg_buf_view(note) };
	struct tg_error why = TG_ERROR_INIT;

	memset(ret, 0, sizeof(*ret));
	if (note->n == 0)
		return tg_log_verify(files, policy, threads, progress, ret, err);
	TG_TRY(read_note(k.note, "kept checkpoint", &k.c, err));
	tg_checkpoint_name(k.name, k.c.size);
	const tg_status s = tg_log_file_read(files, k.name, &stored, &why);
	TG_REQUIRE(s == TG_OK || s == TG_E_NOTFOUND, err, s, "%s", why.text);
	if (s == TG_OK) {
		TG_TRY(tg_log_verify(files, policy, threads, progress, ret, err));
		return same_as(&k, &stored, ret, err);
	}
	const struct tg_log_files with = { .open = kept_open,
		.close = kept_close,
		.size = kept_size,
		.read_at = kept_read_at,
		.list = kept_list,
		.ctx = &k };
	return tg_log_verify(&with, policy, threads, progress, ret, err);
}
