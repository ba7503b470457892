#include "cli/reader.h"

#include <tensorguard/limits.h>
#include <time.h>
#include <unistd.h>

#include "util/try.h"

#define DEFAULT_PIPE_MIB 256u
#define MAX_PIPE_MIB     (1u << 20)

static tg_status
load_trust(const struct reader *r, struct tg_trust **ret, struct tg_error *err)
{
	TG_AUTO(tg_trust_freep) struct tg_trust *t = NULL;

	TG_REQUIRE(r->trust.n > 0, err, TG_E_USAGE,
	    "--trust FILE.pub|DIR is needed: a key inside a package is never trusted");
	TG_TRY(tg_trust_new(&t, err));
	tg_trust_set_time(t, r->policy.now);
	for (size_t i = 0; i < r->trust.n; i++)
		TG_TRY(tg_trust_add_path(t, TG_TRUST_AUTHOR, r->trust.at[i], err));
	for (size_t i = 0; i < r->delegates.n; i++)
		TG_TRY(tg_trust_add_path(t, TG_TRUST_DELEGATE, r->delegates.at[i], err));
	*ret = t;
	t = NULL;
	return TG_OK;
}

/* A file, or all of standard input for "-". */
static tg_status
open_input(struct reader *r, struct tg_error *err)
{
	if (strcmp(r->path, "-") != 0) {
		TG_TRY(tg_file_open(r->path, &r->file, err));
		r->src = tg_file_source(r->file);
		return TG_OK;
	}
	const uint64_t mib = r->pipe_mib == 0 ? DEFAULT_PIPE_MIB : r->pipe_mib;
	TG_REQUIRE(mib <= MAX_PIPE_MIB, err, TG_E_USAGE, "--pipe-limit: at most %u", MAX_PIPE_MIB);
	TG_TRY(quarantine_read(STDIN_FILENO, mib << 20, &r->quarantine, err));
	r->src = quarantine_source(&r->quarantine);
	return TG_OK;
}

tg_status
reader_start(struct reader *r, const char *path, struct tg_error *err)
{
	r->path = path;
	TG_TRY(recorder_start(&r->rec, err));
	recorder_text(&r->rec, "subject", "tgsp_ref", path);
	return TG_OK;
}

tg_status
reader_open(struct reader *r, struct tg_error *err)
{
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(tg_require(r->require, err));
	TG_REQUIRE(r->threads <= TG_MAX_THREADS, err, TG_E_USAGE, "--threads: at most %u",
	    TG_MAX_THREADS);
	r->policy = (struct tg_policy){ .now = r->has_at ? r->at : time(NULL), .fleet = r->fleet,
		.agent_version = TG_VERSION };
	TG_TRY(load_trust(r, &r->store, err));
	TG_TRY(open_input(r, err));
	tg_status s = tg_package_open(&r->src, r->store, &r->package, &why);
	if (s != TG_OK)
		recorder_refused_package(&r->rec, &r->src);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", r->path, why.text);
	recorder_package(&r->rec, r->package);
	if (r->state != NULL)
		TG_TRY(state_floor(r->state, tg_package_author(r->package),
		    tg_package_model_name(r->package), &r->policy.floor, err));
	return TG_OK;
}

tg_status
reader_unlock(struct reader *r, struct tg_error *err)
{
	TG_AUTO(tg_key_freep) struct tg_key *key = NULL;
	struct tg_error why = TG_ERROR_INIT;

	/* the policy first: no passphrase is asked for what may not be opened anyway */
	if (tg_package_policy(r->package, &r->policy, &why) != 0)
		return tg_fail(err, TG_E_POLICY, "%s: %s", r->path, why.text);
	TG_REQUIRE(r->key != NULL, err, TG_E_USAGE, "--key FILE.priv is needed");
	TG_TRY(tg_cli_key(r->key, TG_KEY_ENCRYPTION, true, r->phrase_file, &key, err));
	recorder_id(&r->rec, "subject", "key_id", tg_key_id(key));
	tg_status s = tg_package_unlock(r->package, key, &r->policy, &why);
	if (s == TG_OK)
		return recorder_success(&r->rec, "TGSP_DEK_UNWRAP_SUCCEEDED", err);
	(void)tg_fail(err, s, "%s: %s", r->path, why.text);
	return recorder_failure(&r->rec, "TGSP_DEK_UNWRAP_FAILED", s, err);
}

tg_status
reader_activated(const struct reader *r, struct tg_error *err)
{
	if (r->state == NULL)
		return TG_OK;
	return state_raise(r->state, tg_package_author(r->package), tg_package_model_name(r->package),
	    tg_package_rollback_index(r->package), err);
}

void
reader_done(struct reader *r)
{
	tg_package_close(r->package);
	tg_trust_free(r->store);
	tg_file_close(r->file);
	quarantine_done(&r->quarantine);
	recorder_done(&r->rec);
}
