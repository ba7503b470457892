/* A trust store that is accepted has entries within their rules, and saved and read again it has
 * the same ones; what is refused leaves nothing that cannot be freed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tensorguard/limits.h>
#include <unistd.h>

#include "tgsp/trust.h"
#include "util/text.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Where the store is saved to: memory, where there is such a place. */
static char folder[64];

static void
remove_folder(void)
{
	(void)rmdir(folder);
}

static const char *
store_path(void)
{
	static char path[80];

	if (path[0] == '\0') {
		(void)snprintf(folder, sizeof(folder), "%s/tg-fuzz-trust.XXXXXX",
		    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		if (mkdtemp(folder) == NULL)
			abort();
		(void)atexit(remove_folder);
		(void)snprintf(path, sizeof(path), "%s/store", folder);
	}
	return path;
}

static bool
is_label(const char *s)
{
	const size_t n = s == NULL ? 1 : strlen(s);

	if (n < 1 || n > TG_MAX_NAME_LEN)
		return false;
	for (size_t i = 0; s != NULL && i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return s == NULL || tg_utf8_valid(tg_bytes_str(s));
}

/* An entry on its own, and among those before it. */
static void
check_entry(const struct tg_trust *t, size_t i)
{
	const struct tg_trust_entry e = tg_trust_at(t, i);

	if ((e.role != TG_TRUST_AUTHOR && e.role != TG_TRUST_DELEGATE) || !is_label(e.label) ||
	    tg_key_use_of(e.key) != TG_KEY_SIGNING || tg_key_has_private(e.key))
		__builtin_trap();
	for (size_t j = 0; j < i; j++) {
		const struct tg_trust_entry f = tg_trust_at(t, j);

		if (e.role == f.role &&
		    memcmp(tg_key_id(e.key), tg_key_id(f.key), TG_KEY_ID_LEN) == 0)
			__builtin_trap();
	}
}

static void
check_same(const struct tg_trust_entry *a, const struct tg_trust_entry *b)
{
	if (a->role != b->role || a->not_before != b->not_before || a->not_after != b->not_after ||
	    (a->label == NULL) != (b->label == NULL) ||
	    (a->label != NULL && strcmp(a->label, b->label) != 0) ||
	    memcmp(tg_key_id(a->key), tg_key_id(b->key), TG_KEY_ID_LEN) != 0 ||
	    tg_key_created(a->key) != tg_key_created(b->key))
		__builtin_trap();
}

/* Valid at its bounds, not beside them, and never without a time where it has bounds. */
static void
check_window(struct tg_trust *t, const struct tg_trust_entry *e)
{
	const uint8_t *id = tg_key_id(e->key);
	const bool from = e->not_before != INT64_MIN, until = e->not_after != INT64_MAX;
	const bool some = e->not_before <= e->not_after;

	tg_trust_set_time(t, e->not_before);
	if ((tgsp_trust_find(t, e->role, id) != NULL) != some)
		__builtin_trap();
	tg_trust_set_time(t, e->not_after);
	if ((tgsp_trust_find(t, e->role, id) != NULL) != some)
		__builtin_trap();
	tg_trust_set_time(t, from ? e->not_before - 1 : 0);
	if (from && tgsp_trust_find(t, e->role, id) != NULL)
		__builtin_trap();
	tg_trust_set_time(t, until ? e->not_after + 1 : 0);
	if (until && tgsp_trust_find(t, e->role, id) != NULL)
		__builtin_trap();
}

static void
check(struct tg_trust *t)
{
	struct tg_trust *again = NULL;

	if (tg_trust_new(&again, NULL) != TG_OK)
		abort();
	if (tg_trust_save(t, store_path(), NULL) != TG_OK ||
	    tg_trust_load(again, store_path(), NULL) != TG_OK ||
	    tg_trust_count(again) != tg_trust_count(t))
		__builtin_trap();
	(void)unlink(store_path());
	for (size_t i = 0; i < tg_trust_count(t); i++) {
		const struct tg_trust_entry e = tg_trust_at(t, i), f = tg_trust_at(again, i);

		check_entry(t, i);
		check_same(&e, &f);
		if ((tgsp_trust_find(t, e.role, tg_key_id(e.key)) == NULL) !=
		    (e.not_before != INT64_MIN || e.not_after != INT64_MAX))
			__builtin_trap(); /* no time has been said */
	}
	for (size_t i = 0; i < tg_trust_count(again); i++) {
		const struct tg_trust_entry e = tg_trust_at(again, i);

		check_window(again, &e);
	}
	tg_trust_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tg_json *j = NULL;
	struct tg_trust *t = NULL;

	if (n > TG_MAX_TRUST_STORE ||
	    tg_json_parse((tg_bytes){ p, n }, TG_JSON_ORDINARY, "store", &j, NULL) != TG_OK)
		return 0;
	if (tg_trust_new(&t, NULL) != TG_OK)
		abort();
	if (tgsp_is_store(j) && tgsp_store_read(t, j, "store", NULL) == TG_OK)
		check(t);
	tg_trust_free(t);
	tg_json_free(j);
	return 0;
}
