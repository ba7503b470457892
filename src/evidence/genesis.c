#include "evidence/genesis.h"

#include <stdio.h>
#include <tensorguard/limits.h>

#include "evidence/segments.h"
#include "util/try.h"

tg_status
tg_genesis_exists(const struct tg_log_files *files, struct tg_error *err)
{
	struct tg_numbers l;

	TG_TRY(tg_segments_list(files, &l, err));
	const size_t n = l.n;
	tg_numbers_done(&l);
	TG_REQUIRE(n > 0, err, TG_E_NOTFOUND,
	    "there is no evidence log here ('tensorguard evidence create' makes one)");
	return TG_OK;
}

static tg_status
vkey_text(const struct tg_note_key *k, char *out, size_t size, struct tg_error *err)
{
	struct tg_buf b = { .max = size - 1 };
	const tg_status s = tg_note_key_print(k, &b);

	if (s == TG_OK) {
		memcpy(out, b.p, b.n);
		out[b.n] = '\0';
	}
	tg_buf_done(&b);
	TG_REQUIRE(s == TG_OK, err, s, "log: its verifier key does not fit");
	return TG_OK;
}

tg_status
tg_genesis_of(const char *origin, const struct tg_key *key, struct tg_genesis *ret,
    struct tg_error *err)
{
	struct tg_note_key *k[2] = { NULL, NULL };

	TG_TRY(tg_checkpoint_vkeys(key, origin, false, k, err));
	(void)snprintf(ret->origin, sizeof(ret->origin), "%s", origin);
	tg_status s = vkey_text(k[0], ret->ed25519, sizeof(ret->ed25519), err);
	if (s == TG_OK)
		s = vkey_text(k[1], ret->mldsa44, sizeof(ret->mldsa44), err);
	tg_note_key_free(k[0]);
	tg_note_key_free(k[1]);
	return s;
}

tg_status
tg_genesis_event(const struct tg_genesis *g, struct tg_buf *out, struct tg_error *err)
{
	TG_REQUIRE(tg_buf_put_str(out, "{\"actor\":{\"id\":\"tensorguard\",\"type\":\"system\"},"
				       "\"detail\":{\"ed25519\":\"") == TG_OK &&
		tg_buf_put_str(out, g->ed25519) == TG_OK &&
		tg_buf_put_str(out, "\",\"mldsa44\":\"") == TG_OK && tg_buf_put_str(out, g->mldsa44) == TG_OK &&
		tg_buf_put_str(out, "\"},\"event_type\":\"LOG_CREATED\"}") == TG_OK,
	    err, TG_E_NOMEM, "log: out of memory");
	return TG_OK;
}

tg_status
tg_genesis_policy(const struct tg_log_files *files, const struct tg_genesis *g, struct tg_error *err)
{
	char text[sizeof(*g) + 64];
	const int n = snprintf(text, sizeof(text), "log %s\nlog %s\nquorum none\n", g->ed25519, g->mldsa44);

	return files->replace(files->ctx, "log.policy", text, (size_t)n, err);
}

static tg_status
copy_text(tg_bytes from, char *to, size_t size, struct tg_error *err)
{
	TG_REQUIRE(from.p != NULL && from.n < size, err, TG_E_FORMAT,
	    "record 0: LOG_CREATED with the log's verifier keys is expected");
	memcpy(to, from.p, from.n);
	to[from.n] = '\0';
	return TG_OK;
}

static tg_status
read_detail(const struct tg_event *e, struct tg_genesis *ret, struct tg_error *err)
{
	struct tg_json_member m[64];
	tg_bytes ed25519 = { NULL, 0 }, mldsa44 = { NULL, 0 };
	size_t n = 0;

	TG_REQUIRE(e->type != NULL && strcmp(e->type->name, "LOG_CREATED") == 0, err, TG_E_FORMAT,
	    "record 0: LOG_CREATED expected");
	TG_TRY(tg_json_members(e->value[TG_M_DETAIL], "record 0", m, TG_LEN(m), &n, err));
	for (size_t i = 0; i < n; i++) {
		if (tg_bytes_equal(m[i].key, tg_bytes_str("ed25519")))
			ed25519 = m[i].value;
		if (tg_bytes_equal(m[i].key, tg_bytes_str("mldsa44")))
			mldsa44 = m[i].value;
	}
	TG_TRY(copy_text(e->value[TG_M_LOG_ORIGIN], ret->origin, sizeof(ret->origin), err));
	TG_TRY(copy_text(ed25519, ret->ed25519, sizeof(ret->ed25519), err));
	return copy_text(mldsa44, ret->mldsa44, sizeof(ret->mldsa44), err);
}

tg_status
tg_genesis_read(const struct tg_log_files *files, struct tg_genesis *ret, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_LOG_RECORD };
	struct tg_record r;
	struct tg_event e;

	TG_TRY(tg_segments_record(files, 0, &text, err));
	TG_TRY(tg_record_split(text.p, text.n, "record 0", &r, err));
	TG_TRY(tg_record_event(&r, "record 0", &e, err));
	return read_detail(&e, ret, err);
}

tg_status
tg_genesis_is_key(const struct tg_genesis *g, const struct tg_key *key, struct tg_error *err)
{
	struct tg_genesis other;

	TG_TRY(tg_genesis_of(g->origin, key, &other, err));
	TG_REQUIRE(strcmp(other.ed25519, g->ed25519) == 0 && strcmp(other.mldsa44, g->mldsa44) == 0, err,
	    TG_E_POLICY, "this key is not the one that the log names in its first record");
	return TG_OK;
}
