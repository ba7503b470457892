/* Whose signatures count: roles, windows, duplicates, labels, and the file of a trust store in
 * every way it can be wrong. */
#include "forge.h"

#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <tensorguard/limits.h>
#include <unistd.h>

#include "tgsp/trust.h"

/* ---- helpers ---- */

static char folder[] = "/tmp/tensorguard-trust.XXXXXX"; /* and the current one */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void
write_text(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL || fwrite(p, 1, n, f) != n || fclose(f) != 0)
		abort();
}

static struct tg_buf
read_text(const char *path)
{
	struct tg_buf b = { .max = SIZE_MAX };
	FILE *f = fopen(path, "rb");
	uint8_t chunk[4096];
	size_t n;

	if (f == NULL)
		abort();
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		put(&b, chunk, n);
	fclose(f);
	return b;
}

static struct tg_trust *
empty(void)
{
	struct tg_trust *t = NULL;

	MUST(tg_trust_new(&t, err));
	return t;
}

static struct tg_trust_entry
entry(enum tg_trust_role role, const char *label, int64_t not_before, int64_t not_after)
{
	return (struct tg_trust_entry){ role, NULL, label, not_before, not_after };
}

static struct tg_trust_entry
plain(enum tg_trust_role role)
{
	return entry(role, NULL, INT64_MIN, INT64_MAX);
}

static tg_status
put_entry(struct tg_trust *t, struct tg_trust_entry e, const struct tg_key *k)
{
	return tg_trust_add_entry(t, &e, public_half(k), NULL);
}

static bool
finds(const struct tg_trust *t, enum tg_trust_role role, const struct tg_key *k)
{
	const struct tg_key *found = tgsp_trust_find(t, role, tg_key_id(k));

	return found != NULL && memcmp(tg_key_id(found), tg_key_id(k), TG_KEY_ID_LEN) == 0;
}

/* The entry as it was put in. */
static bool
is_entry(const struct tg_trust *t, size_t i, struct tg_trust_entry want, const struct tg_key *k)
{
	const struct tg_trust_entry e = tg_trust_at(t, i);

	return e.role == want.role && e.not_before == want.not_before &&
	    e.not_after == want.not_after && (e.label == NULL) == (want.label == NULL) &&
	    (e.label == NULL || strcmp(e.label, want.label) == 0) &&
	    memcmp(tg_key_id(e.key), tg_key_id(k), TG_KEY_ID_LEN) == 0 &&
	    tg_key_created(e.key) == tg_key_created(k) && !tg_key_has_private(e.key);
}

/* ---- roles ---- */

static void
roles_are_apart(void)
{
	struct tg_trust *t = trust_of(author, delegate);

	OK(tg_trust_count(t) == 2);
	OK(finds(t, TG_TRUST_AUTHOR, author) && !finds(t, TG_TRUST_DELEGATE, author));
	OK(finds(t, TG_TRUST_DELEGATE, delegate) && !finds(t, TG_TRUST_AUTHOR, delegate));
	OK(!finds(t, TG_TRUST_AUTHOR, other_author) && !finds(t, TG_TRUST_DELEGATE, other_author));
	OK_STATUS(put_entry(t, plain(TG_TRUST_DELEGATE), author), TG_OK);
	OK(finds(t, TG_TRUST_AUTHOR, author) && finds(t, TG_TRUST_DELEGATE, author));
	OK(tg_trust_count(t) == 3);
	tg_trust_free(t);
	t = empty();
	OK(tg_trust_count(t) == 0 && !finds(t, TG_TRUST_AUTHOR, author));
	tg_trust_free(t);
	tg_trust_free(NULL);
}

/* Roles as a package meets them: the author's content, recipients signed by the delegate. */
static void
roles_in_packages(void)
{
	static const struct {
		int author, delegate; /* the role each key has; -1: not trusted */
		tg_status want;
	} rows[] = {
		{ TG_TRUST_AUTHOR, TG_TRUST_DELEGATE, TG_OK },
		{ TG_TRUST_AUTHOR, TG_TRUST_AUTHOR, TG_OK },
		{ TG_TRUST_AUTHOR, -1, TG_E_AUTH },
		{ TG_TRUST_DELEGATE, TG_TRUST_DELEGATE, TG_E_AUTH },
		{ TG_TRUST_DELEGATE, TG_TRUST_AUTHOR, TG_E_AUTH },
		{ -1, TG_TRUST_DELEGATE, TG_E_AUTH },
		{ -1, TG_TRUST_AUTHOR, TG_E_AUTH },
		{ -1, -1, TG_E_AUTH },
	};
	struct forge *f = forge_new();

	f->signs_recipients = delegate;
	forge_join(f);
	for (size_t i = 0; i < TG_LEN(rows); i++) {
		struct tg_trust *t = empty();

		if (rows[i].author >= 0)
			MUST(((void)err,
			    put_entry(t, plain((enum tg_trust_role)rows[i].author), author)));
		if (rows[i].delegate >= 0)
			MUST(((void)err,
			    put_entry(t, plain((enum tg_trust_role)rows[i].delegate), delegate)));
		const struct attempt a = attempt(tg_buf_view(&f->out), t, reader, &f->policy);
		named(a.status == rows[i].want && (a.status == TG_OK || a.at == STEP_OPEN),
		    "author trusted as %d, delegate as %d: %s", rows[i].author, rows[i].delegate,
		    tg_status_name(a.status));
		tg_trust_free(t);
	}
	forge_free(f);
}

/* ---- windows ---- */

static void
windows_are_inclusive(void)
{
	static const struct {
		int64_t from, to, now;
		bool valid;
	} rows[] = {
		{ 1000, 2000, 999, false },
		{ 1000, 2000, 1000, true },
		{ 1000, 2000, 1500, true },
		{ 1000, 2000, 2000, true },
		{ 1000, 2000, 2001, false },
		{ 1000, 2000, INT64_MIN, false },
		{ 1000, 2000, INT64_MAX, false },
		{ 1000, INT64_MAX, 999, false },
		{ 1000, INT64_MAX, 1000, true },
		{ 1000, INT64_MAX, INT64_MAX, true },
		{ INT64_MIN, 2000, INT64_MIN, true },
		{ INT64_MIN, 2000, -1, true },
		{ INT64_MIN, 2000, 2000, true },
		{ INT64_MIN, 2000, 2001, false },
		{ 0, 0, -1, false },
		{ 0, 0, 0, true },
		{ 0, 0, 1, false },
		{ -10, -5, -11, false },
		{ -10, -5, -10, true },
		{ -10, -5, -5, true },
		{ -10, -5, -4, false },
		{ 2000, 1000, 1500, false }, /* no second at all */
		{ 2000, 1000, 1000, false },
		{ 2000, 1000, 2000, false },
		{ INT64_MIN, INT64_MAX, INT64_MIN, true },
		{ INT64_MIN, INT64_MAX, INT64_MAX, true },
	};

	for (size_t i = 0; i < TG_LEN(rows); i++) {
		struct tg_trust *t = empty();
		const bool bounded = rows[i].from != INT64_MIN || rows[i].to != INT64_MAX;

		MUST(((void)err,
		    put_entry(t, entry(TG_TRUST_AUTHOR, NULL, rows[i].from, rows[i].to), author)));
		/* who has not said what time it is gets nothing that depends on it */
		const bool before = finds(t, TG_TRUST_AUTHOR, author);
		tg_trust_set_time(t, rows[i].now);
		const bool then = finds(t, TG_TRUST_AUTHOR, author);
		named(before == !bounded && then == rows[i].valid, "%lld ... %lld at %lld: %s",
		    (long long)rows[i].from, (long long)rows[i].to, (long long)rows[i].now,
		    rows[i].valid ? "valid" : "not valid");
		tg_trust_free(t);
	}
}

static void
time_can_be_set_again(void)
{
	struct tg_trust *t = empty();

	tg_trust_set_time(t, 1500); /* before the entries come */
	MUST(((void)err, put_entry(t, entry(TG_TRUST_AUTHOR, NULL, 1000, 2000), author)));
	MUST(((void)err, put_entry(t, entry(TG_TRUST_DELEGATE, NULL, 1800, 3000), delegate)));
	OK(finds(t, TG_TRUST_AUTHOR, author) && !finds(t, TG_TRUST_DELEGATE, delegate));
	tg_trust_set_time(t, 1900);
	OK(finds(t, TG_TRUST_AUTHOR, author) && finds(t, TG_TRUST_DELEGATE, delegate));
	tg_trust_set_time(t, 2001);
	OK(!finds(t, TG_TRUST_AUTHOR, author) && finds(t, TG_TRUST_DELEGATE, delegate));
	tg_trust_set_time(t, 0);
	OK(!finds(t, TG_TRUST_AUTHOR, author) && !finds(t, TG_TRUST_DELEGATE, delegate));
	OK(tg_trust_count(t) == 2); /* they are there all the same */
	tg_trust_free(t);
}

/* The same key may have one window as an author and another one as a delegate. */
static void
windows_belong_to_the_role(void)
{
	struct tg_trust *t = empty();

	MUST(((void)err, put_entry(t, entry(TG_TRUST_AUTHOR, NULL, 1000, 2000), author)));
	MUST(((void)err, put_entry(t, entry(TG_TRUST_DELEGATE, NULL, 3000, 4000), author)));
	tg_trust_set_time(t, 1000);
	OK(finds(t, TG_TRUST_AUTHOR, author) && !finds(t, TG_TRUST_DELEGATE, author));
	tg_trust_set_time(t, 4000);
	OK(!finds(t, TG_TRUST_AUTHOR, author) && finds(t, TG_TRUST_DELEGATE, author));
	tg_trust_free(t);
}

/* As a package meets them: author and delegate each have to be valid. */
static void
windows_in_packages(void)
{
	static const struct {
		int64_t now;
		tg_status want;
		const char *why;
	} rows[] = {
		{ 999, TG_E_AUTH, "not a trusted author (or not at this time)" },
		{ 1000, TG_E_AUTH, "neither the author nor a trusted delegate" },
		{ 1199, TG_E_AUTH, "neither the author nor a trusted delegate" },
		{ 1200, TG_OK, "" },
		{ 2000, TG_OK, "" },
		{ 2001, TG_E_AUTH, "not a trusted author (or not at this time)" },
		{ 2201, TG_E_AUTH, "not a trusted author (or not at this time)" },
	};
	struct forge *f = forge_new();
	struct tg_trust *t = empty();

	f->signs_recipients = delegate;
	forge_join(f);
	MUST(((void)err, put_entry(t, entry(TG_TRUST_AUTHOR, NULL, 1000, 2000), author)));
	MUST(((void)err, put_entry(t, entry(TG_TRUST_DELEGATE, NULL, 1200, 2200), delegate)));
	const struct attempt none = attempt(tg_buf_view(&f->out), t, reader, &f->policy);
	OK(none.status == TG_E_AUTH && none.at == STEP_OPEN);
	for (size_t i = 0; i < TG_LEN(rows); i++) {
		tg_trust_set_time(t, rows[i].now);
		const struct attempt a = attempt(tg_buf_view(&f->out), t, reader, &f->policy);
		named(a.status == rows[i].want && strstr(a.err.text, rows[i].why) != NULL,
		    "a package at %lld: %s", (long long)rows[i].now, tg_status_name(a.status));
	}
	tg_trust_free(t);
	forge_free(f);
}

/* ---- duplicates, kinds, count ---- */

static void
a_key_stands_once_in_each_role(void)
{
	struct tg_trust *t = empty();
	const struct tg_trust_entry first = entry(TG_TRUST_AUTHOR, "first", 1, 2);

	OK_STATUS(put_entry(t, first, author), TG_OK);
	OK_STATUS(put_entry(t, entry(TG_TRUST_AUTHOR, "second", 3, 4), author), TG_E_CONFLICT);
	OK_STATUS(put_entry(t, first, author), TG_E_CONFLICT);
	OK(tg_trust_count(t) == 1 && is_entry(t, 0, first, author));
	OK_STATUS(put_entry(t, first, other_author), TG_OK);
	OK_STATUS(put_entry(t, entry(TG_TRUST_DELEGATE, "first", 1, 2), author), TG_OK);
	OK_STATUS(put_entry(t, entry(TG_TRUST_DELEGATE, NULL, 1, 2), author), TG_E_CONFLICT);
	OK(tg_trust_count(t) == 3);
	tg_trust_free(t);

	t = empty(); /* without a label and a window a second time is fine */
	OK_STATUS(tg_trust_add(t, TG_TRUST_AUTHOR, public_half(author), NULL), TG_OK);
	OK_STATUS(tg_trust_add(t, TG_TRUST_AUTHOR, public_half(author), NULL), TG_OK);
	OK(finds(t, TG_TRUST_AUTHOR, author) && !finds(t, TG_TRUST_DELEGATE, author));
	OK_STATUS(tg_trust_add(t, TG_TRUST_DELEGATE, public_half(author), NULL), TG_OK);
	OK(finds(t, TG_TRUST_AUTHOR, author) && finds(t, TG_TRUST_DELEGATE, author));
	OK_STATUS(
	    tg_trust_remove(t, tg_key_id(author), NULL), TG_OK); /* however often it stands there */
	OK(!finds(t, TG_TRUST_AUTHOR, author) && !finds(t, TG_TRUST_DELEGATE, author));
	OK(tg_trust_count(t) == 0);
	tg_trust_free(t);
}

static void
only_signing_keys(void)
{
	struct tg_trust *t = empty();

	OK_STATUS(tg_trust_add(t, TG_TRUST_AUTHOR, public_half(reader), NULL), TG_E_USAGE);
	OK_STATUS(tg_trust_add(t, TG_TRUST_DELEGATE, public_half(reader), NULL), TG_E_USAGE);
	OK_STATUS(put_entry(t, plain(TG_TRUST_AUTHOR), stranger), TG_E_USAGE);
	OK_STATUS(tg_trust_add(t, TG_TRUST_AUTHOR, fixed_key(TG_KEY_SIGNING, 1, 2), NULL),
	    TG_E_USAGE); /* with its private half */
	OK(tg_trust_count(t) == 0);
	tg_trust_free(t);
}

static void
removing(void)
{
	struct tg_trust *t = empty();

	MUST(((void)err, put_entry(t, entry(TG_TRUST_AUTHOR, "a", 1, 2), author)));
	MUST(((void)err, put_entry(t, entry(TG_TRUST_DELEGATE, "d", 1, 2), delegate)));
	MUST(((void)err, put_entry(t, entry(TG_TRUST_DELEGATE, "ad", 1, 2), author)));
	MUST(((void)err, put_entry(t, entry(TG_TRUST_AUTHOR, "o", 1, 2), other_author)));
	OK_STATUS(tg_trust_remove(t, tg_key_id(reader), NULL), TG_E_NOTFOUND);
	OK(tg_trust_count(t) == 4);
	OK_STATUS(tg_trust_remove(t, tg_key_id(author), NULL), TG_OK); /* in both roles */
	OK(tg_trust_count(t) == 2);
	OK(is_entry(t, 0, entry(TG_TRUST_DELEGATE, "d", 1, 2), delegate));
	OK(is_entry(t, 1, entry(TG_TRUST_AUTHOR, "o", 1, 2), other_author));
	OK_STATUS(tg_trust_remove(t, tg_key_id(author), NULL), TG_E_NOTFOUND);
	OK_STATUS(put_entry(t, plain(TG_TRUST_AUTHOR), author), TG_OK);
	OK(is_entry(t, 2, plain(TG_TRUST_AUTHOR), author));
	OK_STATUS(tg_trust_remove(t, tg_key_id(author), NULL), TG_OK);
	OK_STATUS(tg_trust_remove(t, tg_key_id(other_author), NULL), TG_OK);
	OK_STATUS(tg_trust_remove(t, tg_key_id(delegate), NULL), TG_OK);
	OK(tg_trust_count(t) == 0 && !finds(t, TG_TRUST_DELEGATE, delegate));
	OK_STATUS(tg_trust_remove(t, tg_key_id(delegate), NULL), TG_E_NOTFOUND);
	tg_trust_free(t);
}

/* ---- labels ---- */

static void
labels_are_names(void)
{
	char longest[257], longer[257];
	const struct {
		const char *what, *label;
		tg_status want;
	} rows[] = {
		{ "one byte", "x", TG_OK },
		{ "255 bytes", longest, TG_OK },
		{ "256 bytes", longer, TG_E_FORMAT },
		{ "empty", "", TG_E_FORMAT },
		{ "spaces", "   ", TG_OK },
		{ "quotes and backslashes", "a \"b\" \\c\\ /d", TG_OK },
		{ "umlauts and kanji", "\xc3\xa4 \xe6\xbc\xa2", TG_OK },
		{ "beyond the BMP", "\xf0\x9f\x94\x91", TG_OK },
		{ "U+00A0, no control character", "\xc2\xa0", TG_OK },
		{ "U+0001", "\x01", TG_E_FORMAT },
		{ "tabulator", "a\tb", TG_E_FORMAT },
		{ "line feed at the end", "a\n", TG_E_FORMAT },
		{ "carriage return", "\rb", TG_E_FORMAT },
		{ "escape", "a\x1b[2Jb", TG_E_FORMAT },
		{ "U+001F", "\x1f", TG_E_FORMAT },
		{ "DEL", "a\x7f", TG_E_FORMAT },
		{ "U+0080", "\xc2\x80", TG_E_FORMAT },
		{ "U+009B, an 8-bit escape",
		    "a\xc2\x9b"
		    "2J",
		    TG_E_FORMAT },
		{ "U+009F", "\xc2\x9f", TG_E_FORMAT },
		{ "a byte that is no UTF-8", "a\xff", TG_E_FORMAT },
		{ "a surrogate", "\xed\xa0\x80", TG_E_FORMAT },
		{ "an overlong NUL", "\xc0\x80", TG_E_FORMAT },
		{ "an overlong slash", "\xe0\x80\xaf", TG_E_FORMAT },
		{ "beyond U+10FFFF", "\xf4\x90\x80\x80", TG_E_FORMAT },
		{ "half a character", "a\xe6\xbc", TG_E_FORMAT },
	};

	memset(longest, 'l', sizeof(longest));
	memset(longer, 'l', sizeof(longer));
	longest[255] = longer[256] = '\0';
	for (size_t i = 0; i < TG_LEN(rows); i++) {
		struct tg_trust *t = empty(), *again = empty();
		const struct tg_trust_entry e =
		    entry(TG_TRUST_AUTHOR, rows[i].label, INT64_MIN, INT64_MAX);
		struct tg_error why = TG_ERROR_INIT;
		const tg_status s = tg_trust_add_entry(t, &e, public_half(author), &why);
		bool good = s == rows[i].want && tg_trust_count(t) == (s == TG_OK);

		if (s == TG_OK) { /* and comes back as it went out */
			MUST(tg_trust_save(t, "labels.json", err));
			MUST(tg_trust_load(again, "labels.json", err));
			good = good && is_entry(t, 0, e, author) && is_entry(again, 0, e, author);
		} else {
			good = good && strstr(why.text, "label") != NULL &&
			    strpbrk(why.text, "\n\t\x1b") == NULL;
		}
		named(good, "label, %s: %s", rows[i].what, tg_status_name(s));
		tg_trust_free(t);
		tg_trust_free(again);
	}
}

/* ---- the store ---- */

static const struct {
	struct tg_trust_entry e;
	struct tg_key **key;
} samples[] = {
	{ { TG_TRUST_AUTHOR, NULL, "vision \"team\" \\ \xc3\xa4", 1767225600, 1893456000 },
	    &author },
	{ { TG_TRUST_DELEGATE, NULL, NULL, INT64_MIN, INT64_MAX }, &author },
	{ { TG_TRUST_DELEGATE, NULL, "only from", -TG_MAX_JSON_INT, INT64_MAX }, &delegate },
	{ { TG_TRUST_AUTHOR, NULL, "only until", INT64_MIN, TG_MAX_JSON_INT }, &other_author },
	{ { TG_TRUST_DELEGATE, NULL, "never", 2, 1 }, &other_author },
};

static struct tg_trust *
sample_store(size_t n)
{
	struct tg_trust *t = empty();

	for (size_t i = 0; i < n; i++)
		MUST(((void)err, put_entry(t, samples[i].e, *samples[i].key)));
	return t;
}

static bool
is_sample(const struct tg_trust *t, size_t from, size_t n)
{
	bool same = tg_trust_count(t) == from + n;

	for (size_t i = 0; same && i < n; i++)
		same = is_entry(t, from + i, samples[i].e, *samples[i].key);
	return same;
}

/* The same entries, in whatever order. */
static bool
has_sample(const struct tg_trust *t, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < tg_trust_count(t); j++)
			found += is_entry(t, j, samples[i].e, *samples[i].key);
	return found == n && tg_trust_count(t) == n;
}

static void
stores_come_back_as_they_went(void)
{
	struct stat st;

	for (size_t n = 0; n <= TG_LEN(samples); n++) {
		struct tg_trust *t = sample_store(n), *again = empty(), *path = empty();
		struct tg_json *j = NULL;

		MUST(tg_trust_save(t, "one.json", err));
		MUST(tg_trust_load(again, "one.json", err));
		MUST(tg_trust_save(again, "two.json", err));
		/* roles stay what they are in the store, whatever the path was given for */
		MUST(tg_trust_add_path(path, TG_TRUST_AUTHOR, "one.json", err));
		struct tg_buf one = read_text("one.json"), two = read_text("two.json");
		const tg_bytes body = { one.p, one.n - 1 };
		named(is_sample(t, 0, n) && is_sample(again, 0, n) && has_sample(path, n) &&
			tg_bytes_equal(tg_buf_view(&one), tg_buf_view(&two)),
		    "a store of %zu entries", n);
		named(one.p[one.n - 1] == '\n' &&
			tg_json_parse(body, TG_JSON_CANONICAL, "store", &j, NULL) == TG_OK &&
			stat("one.json", &st) == 0 && (st.st_mode & 07777) == 0644,
		    "its file is canonical JSON and a newline, mode 0644");
		tg_json_free(j);
		tg_buf_done(&one);
		tg_buf_done(&two);
		tg_trust_free(t);
		tg_trust_free(again);
		tg_trust_free(path);
	}
}

static void
entries_are_added_to_what_is_there(void)
{
	struct tg_trust *t = sample_store(2), *more = empty();

	MUST(tg_trust_save(t, "one.json", err));
	OK_STATUS(put_entry(more, plain(TG_TRUST_AUTHOR), delegate), TG_OK);
	OK_STATUS(tg_trust_load(more, "one.json", NULL), TG_OK);
	OK(is_entry(more, 0, plain(TG_TRUST_AUTHOR), delegate) && is_sample(more, 1, 2));
	OK_STATUS(tg_trust_load(more, "one.json", NULL), TG_E_CONFLICT);
	OK(tg_trust_count(more) == 3);
	tg_trust_free(t);
	tg_trust_free(more);
}

/* A failure to save leaves what was there. */
static void
saving_replaces_or_does_nothing(void)
{
	struct tg_trust *t = sample_store(1);
	struct stat before, after;
	const int64_t bad[] = { INT64_MIN + 1, INT64_MAX - 1, TG_MAX_JSON_INT + 1,
		-TG_MAX_JSON_INT - 1 };

	MUST(tg_trust_save(t, "keep.json", err));
	struct tg_buf old = read_text("keep.json");
	if (stat("keep.json", &before) != 0)
		abort();
	for (size_t i = 0; i < 2 * TG_LEN(bad); i++) {
		struct tg_trust *u = empty();
		struct tg_trust_entry e = plain(TG_TRUST_AUTHOR);

		*(i % 2 == 0 ? &e.not_before : &e.not_after) = bad[i / 2];
		MUST(((void)err, put_entry(u, e, author)));
		const tg_status s = tg_trust_save(u, "keep.json", NULL);
		struct tg_buf now = read_text("keep.json");
		named(s == TG_E_FORMAT && tg_bytes_equal(tg_buf_view(&old), tg_buf_view(&now)),
		    "a bound of %lld does not fit into a store", (long long)bad[i / 2]);
		tg_buf_done(&now);
		tg_trust_free(u);
	}
	MUST(tg_trust_save(t, "keep.json", err));
	OK(stat("keep.json", &after) == 0 && after.st_ino != before.st_ino); /* renamed over */
	OK_STATUS(tg_trust_save(t, "absent/keep.json", NULL), TG_E_NOTFOUND);
	OK(mkdir("taken", 0755) == 0);
	OK_STATUS(tg_trust_save(t, "taken", NULL), TG_E_IO);
	OK_STATUS(tg_trust_save(t, "taken/", NULL), TG_E_USAGE);
	OK(rmdir("taken") == 0); /* nothing in it */
	tg_buf_done(&old);
	tg_trust_free(t);
}

/* ---- damaged stores ---- */

enum edit { SET, DROP, ADD };

/* What is done to a store of one entry that has every field. */
static const struct {
	enum edit how;
	const char *path, *text;
	tg_status want;
	const char *why;
} damages[] = {
	/* the store */
	{ DROP, "entries", "", TG_E_FORMAT, "entries" },
	{ SET, "entries", "{}", TG_E_FORMAT, "entries" },
	{ SET, "entries", "\"x\"", TG_E_FORMAT, "entries" },
	{ SET, "entries", "null", TG_E_FORMAT, "entries" },
	{ SET, "entries", "7", TG_E_FORMAT, "entries" },
	{ DROP, "tensorguard_trust", "", TG_E_FORMAT, "not a" },
	{ SET, "tensorguard_trust", "0", TG_E_UNSUPPORTED, "version 0" },
	{ SET, "tensorguard_trust", "2", TG_E_UNSUPPORTED, "version 2" },
	{ SET, "tensorguard_trust", "-1", TG_E_UNSUPPORTED, "version -1" },
	{ SET, "tensorguard_trust", "4294967297", TG_E_UNSUPPORTED, "version 4294967297" },
	{ SET, "tensorguard_trust", "\"1\"", TG_E_FORMAT, "tensorguard_trust" },
	{ SET, "tensorguard_trust", "1.0", TG_E_FORMAT, "tensorguard_trust" },
	{ SET, "tensorguard_trust", "true", TG_E_FORMAT, "tensorguard_trust" },
	{ SET, "tensorguard_trust", "null", TG_E_FORMAT, "tensorguard_trust" },
	{ SET, "tensorguard_trust", "[1]", TG_E_FORMAT, "tensorguard_trust" },
	{ ADD, "", "\"comment\":\"x\"", TG_E_FORMAT, "comment" },
	{ ADD, "", "\"signature\":{}", TG_E_FORMAT, "signature" },
	{ ADD, "", "\"tensorguard_trust\":1", TG_E_FORMAT, "" },
	/* its entries */
	{ SET, "entries.0", "1", TG_E_FORMAT, "" },
	{ SET, "entries.0", "\"x\"", TG_E_FORMAT, "" },
	{ SET, "entries.0", "[]", TG_E_FORMAT, "" },
	{ SET, "entries.0", "null", TG_E_FORMAT, "" },
	{ SET, "entries.0", "{}", TG_E_FORMAT, "key" },
	{ ADD, "entries.0", "\"expires\":1", TG_E_FORMAT, "expires" },
	{ ADD, "entries.0", "\"Label\":\"x\"", TG_E_FORMAT, "Label" },
	{ DROP, "entries.0.key", "", TG_E_FORMAT, "key" },
	{ SET, "entries.0.key", "\"x\"", TG_E_FORMAT, "key" },
	{ SET, "entries.0.key", "[]", TG_E_FORMAT, "key" },
	{ SET, "entries.0.key", "{}", TG_E_FORMAT, "not a TensorGuard key" },
	{ DROP, "entries.0.role", "", TG_E_FORMAT, "role" },
	{ SET, "entries.0.role", "0", TG_E_FORMAT, "role" },
	{ SET, "entries.0.role", "null", TG_E_FORMAT, "role" },
	{ SET, "entries.0.role", "\"\"", TG_E_FORMAT, "role" },
	{ SET, "entries.0.role", "\"Author\"", TG_E_FORMAT, "role" },
	{ SET, "entries.0.role", "\"author \"", TG_E_FORMAT, "role" },
	{ SET, "entries.0.role", "\"autho\"", TG_E_FORMAT, "role" },
	{ SET, "entries.0.role", "\"author\\nx\"", TG_E_FORMAT, "role" },
	{ SET, "entries.0.role", "\"any\"", TG_E_FORMAT, "role" },
	{ SET, "entries.0.label", "7", TG_E_FORMAT, "label" },
	{ SET, "entries.0.label", "null", TG_E_FORMAT, "label" },
	{ SET, "entries.0.label", "\"\"", TG_E_FORMAT, "label" },
	{ SET, "entries.0.label", "\"\\u001b[2J\"", TG_E_FORMAT, "label" },
	{ SET, "entries.0.label", "\"a\\nb\"", TG_E_FORMAT, "label" },
	{ SET, "entries.0.label", "\"\\u009b\"", TG_E_FORMAT, "label" },
	{ SET, "entries.0.label", "\"\\u0000\"", TG_E_FORMAT, "" },
	{ SET, "entries.0.label", "\"\\ud800\"", TG_E_FORMAT, "" },
	{ SET, "entries.0.label", "\"\xff\"", TG_E_FORMAT, "" },
	{ SET, "entries.0.not_before", "\"5\"", TG_E_FORMAT, "not_before" },
	{ SET, "entries.0.not_before", "1.5", TG_E_FORMAT, "not_before" },
	{ SET, "entries.0.not_before", "1e3", TG_E_FORMAT, "not_before" },
	{ SET, "entries.0.not_before", "null", TG_E_FORMAT, "not_before" },
	{ SET, "entries.0.not_before", "true", TG_E_FORMAT, "not_before" },
	{ SET, "entries.0.not_after", "\"5\"", TG_E_FORMAT, "not_after" },
	{ SET, "entries.0.not_after", "1.5", TG_E_FORMAT, "not_after" },
	{ SET, "entries.0.not_after", "null", TG_E_FORMAT, "not_after" },
	{ SET, "entries.0.not_after", "{}", TG_E_FORMAT, "not_after" },
	{ SET, "entries.0.not_after", "99999999999999999999", TG_E_FORMAT, "" },
	/* their keys: read as .pub files are */
	{ DROP, "entries.0.key.alg", "", TG_E_FORMAT, "alg" },
	{ DROP, "entries.0.key.created", "", TG_E_FORMAT, "created" },
	{ DROP, "entries.0.key.key_id", "", TG_E_FORMAT, "key_id" },
	{ DROP, "entries.0.key.public", "", TG_E_FORMAT, "public" },
	{ DROP, "entries.0.key.tensorguard_key", "", TG_E_FORMAT, "not a TensorGuard key" },
	{ DROP, "entries.0.key.use", "", TG_E_FORMAT, "use" },
	{ DROP, "entries.0.key.public.classic", "", TG_E_FORMAT, "classic" },
	{ DROP, "entries.0.key.public.pqc", "", TG_E_FORMAT, "pqc" },
	{ ADD, "entries.0.key", "\"note\":1", TG_E_FORMAT, "note" },
	{ ADD, "entries.0.key.public", "\"third\":\"\"", TG_E_FORMAT, "third" },
	{ SET, "entries.0.key.alg", "\"Ed25519\"", TG_E_UNSUPPORTED, "Ed25519" },
	{ SET, "entries.0.key.alg", "\"X25519-MLKEM768\"", TG_E_UNSUPPORTED, "X25519" },
	{ SET, "entries.0.key.use", "\"encryption\"", TG_E_UNSUPPORTED, "encryption" },
	{ SET, "entries.0.key.tensorguard_key", "2", TG_E_UNSUPPORTED, "version 2" },
	{ SET, "entries.0.key.tensorguard_key", "\"1\"", TG_E_FORMAT, "tensorguard_key" },
	{ SET, "entries.0.key.created", "\"now\"", TG_E_FORMAT, "created" },
	{ SET, "entries.0.key.key_id", "\"00000000000000000000000000000000\"", TG_E_FORMAT,
	    "key_id is not that" },
	{ SET, "entries.0.key.key_id", "\"\"", TG_E_FORMAT, "key_id" },
	{ SET, "entries.0.key.public.classic", "\"AAAA\"", TG_E_FORMAT, "classic" },
	{ SET, "entries.0.key.public.classic", "\"\"", TG_E_FORMAT, "classic" },
	{ SET, "entries.0.key.public.pqc", "\"AAAA\"", TG_E_FORMAT, "pqc" },
	/* the neutral element: every signature would verify */
	{ SET, "entries.0.key.public.classic", "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
	    TG_E_FORMAT, "" },
	{ ADD, "entries.0.key", "\"private\":{}", TG_E_FORMAT, "private key in a trust store" },
	{ ADD, "entries.0.key", "\"private\":null", TG_E_FORMAT, "private key in a trust store" },
	{ ADD, "entries.0.key",
	    "\"private\":{\"classic\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\","
	    "\"pqc\":\"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI\"}",
	    TG_E_FORMAT, "private key in a trust store" },
	{ ADD, "entries.0.key",
	    "\"private\":{\"box\":\"\",\"kdf\":\"argon2id\",\"m\":1,\"nonce\":\"\",\"p\":1,"
	    "\"salt\":\"\",\"t\":1}",
	    TG_E_FORMAT, "private key in a trust store" },
};

/* The text of a store of one entry, without its newline. */
static struct tg_buf
one_entry(void)
{
	struct tg_trust *t = sample_store(1);

	MUST(tg_trust_save(t, "one.json", err));
	tg_trust_free(t);
	struct tg_buf b = read_text("one.json");
	b.n--;
	return b;
}

/* Refused, in one line that names the file; and nothing is trusted for it. */
static bool
load_refuses(tg_bytes text, tg_status want, const char *why)
{
	struct tg_trust *t = empty(), *u = empty();
	struct tg_error err = TG_ERROR_INIT, path_err = TG_ERROR_INIT;

	write_text("bad.json", text.p, text.n);
	const tg_status s = tg_trust_load(t, "bad.json", &err);
	const tg_status p = tg_trust_add_path(u, TG_TRUST_AUTHOR, "bad.json", &path_err);
	const bool good = s == want && strstr(err.text, why) != NULL &&
	    strstr(err.text, "bad.json") != NULL && strpbrk(err.text, "\n\x1b") == NULL &&
	    p != TG_OK && strpbrk(path_err.text, "\n\x1b") == NULL && tg_trust_count(t) == 0 &&
	    tg_trust_count(u) == 0;

	if (!good)
		printf("# load: %s \"%s\", --trust: %s \"%s\"\n", tg_status_name(s), err.text,
		    tg_status_name(p), path_err.text);
	tg_trust_free(t);
	tg_trust_free(u);
	return good;
}

static void
damaged_stores_are_refused(void)
{
	static const char *const verb[] = { "=", "dropped", "+" };

	for (size_t i = 0; i < TG_LEN(damages); i++) {
		struct tg_buf b = one_entry();

		if (damages[i].how == SET)
			json_set(&b, damages[i].path, damages[i].text);
		else if (damages[i].how == DROP)
			json_drop(&b, damages[i].path);
		else
			json_add(&b, damages[i].path, damages[i].text);
		named(load_refuses(tg_buf_view(&b), damages[i].want, damages[i].why),
		    "refused: %s %s %.40s", damages[i].path, verb[damages[i].how],
		    strchr(damages[i].text, 0xff) == NULL ? damages[i].text : "bytes");
		tg_buf_done(&b);
	}
}

/* Unchanged, or in any spacing and order, it is accepted: what refuses above is the damage. */
static void
good_stores_are_accepted(void)
{
	static const char *const optional[] = { "entries.0.label", "entries.0.not_before",
		"entries.0.not_after" };
	struct tg_buf b = one_entry();

	for (size_t i = 0; i <= TG_LEN(optional); i++) {
		struct tg_trust *t = empty();

		write_text("good.json", b.p, b.n);
		OK_STATUS(tg_trust_load(t, "good.json", NULL), TG_OK);
		OK(tg_trust_count(t) == 1);
		tg_trust_free(t);
		if (i < TG_LEN(optional))
			json_drop(&b, optional[i]);
	}
	/* by now key and role are left: the other order, with white space */
	struct tg_trust *t = empty();
	json_drop(&b, "entries.0.role");
	json_drop(&b, "tensorguard_trust");
	edit(&b, "{\"entries\":[{",
	    " \r\n{\t\"tensorguard_trust\" : 1 , \"entries\" : [ { "
	    "\"role\" : \"delegate\" ,\n");
	put(&b, " \n\n", 3);
	write_text("good.json", b.p, b.n);
	OK_STATUS(tg_trust_load(t, "good.json", NULL), TG_OK);
	OK(tg_trust_count(t) == 1 && is_entry(t, 0, plain(TG_TRUST_DELEGATE), author));
	tg_trust_free(t);
	tg_buf_done(&b);
}

static void
keys_of_a_store(void)
{
	struct tg_buf one = one_entry(), b = { .max = SIZE_MAX };
	struct json_span member;
	const struct json_span e = json_find(tg_buf_view(&one), "entries.0", &member);

	/* twice in one role */
	put_view(&b, tg_buf_view(&one));
	patch(&b, e.at, 0, tg_bytes_str(","));
	patch(&b, e.at, 0, (tg_bytes){ one.p + e.at, e.n });
	struct tg_trust *t = empty();
	struct tg_error why = TG_ERROR_INIT;
	write_text("twice.json", b.p, b.n);
	OK_STATUS(tg_trust_load(t, "twice.json", &why), TG_E_CONFLICT);
	OK(strstr(why.text, "twice.json") != NULL);
	tg_trust_free(t);
	t = empty();
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "twice.json", NULL), TG_E_CONFLICT);
	OK(tg_trust_count(t) == 0);
	tg_trust_free(t);
	/* in both roles */
	t = empty();
	json_set(&b, "entries.1.role", "\"delegate\"");
	write_text("twice.json", b.p, b.n);
	OK_STATUS(tg_trust_load(t, "twice.json", NULL), TG_OK);
	OK(tg_trust_count(t) == 2 && tg_trust_at(t, 0).role == TG_TRUST_AUTHOR &&
	    tg_trust_at(t, 1).role == TG_TRUST_DELEGATE);
	tg_trust_free(t);

	/* an encryption key, complete and right */
	MUST(tg_key_save_public(reader, "enc.json", err));
	struct tg_buf enc = read_text("enc.json");
	enc.p[enc.n - 1] = '\0';
	json_set(&one, "entries.0.key", (const char *)enc.p);
	OK(load_refuses(tg_buf_view(&one), TG_E_USAGE, "signing keys"));
	tg_buf_done(&enc);
	tg_buf_done(&one);
	tg_buf_done(&b);
}

static void
other_texts_are_no_stores(void)
{
	static const char *const texts[] = { "", " ", "{}", "[]", "1", "\"x\"", "null", "{", "}",
		"{\"tensorguard_trust\":1}", "{\"tensorguard_trust\":1,}",
		"{\"entries\":[],\"tensorguard_trust\":1}x",
		"{\"entries\":[],\"tensorguard_trust\":1}{}",
		"{\"entries\":[],\"entries\":[],\"tensorguard_trust\":1}",
		"{'entries':[],'tensorguard_trust':1}", "{\"entries\":[],\"tensorguard_trust\":01}",
		"{\"entries\":[,],\"tensorguard_trust\":1}",
		"\xef\xbb\xbf{\"entries\":[],\"tensorguard_trust\":1}",
		"{\"entries\":[]/**/,\"tensorguard_trust\":1}",
		"[{\"entries\":[],\"tensorguard_trust\":1}]" };

	for (size_t i = 0; i < TG_LEN(texts); i++)
		named(load_refuses(tg_bytes_str(texts[i]), TG_E_FORMAT, ""), "refused: '%.60s'",
		    texts[i]);
	/* a key file is no store, though --trust takes it */
	struct tg_trust *t = empty();
	MUST(tg_key_save_public(author, "author.pub", err));
	OK_STATUS(tg_trust_load(t, "author.pub", NULL), TG_E_FORMAT);
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "author.pub", NULL), TG_OK);
	OK(remove("author.pub") == 0);
	tg_trust_free(t);
	/* a NUL behind a good store, and nesting */
	static const char nul[] = "{\"entries\":[],\"tensorguard_trust\":1}";
	OK(load_refuses((tg_bytes){ (const uint8_t *)nul, sizeof(nul) }, TG_E_FORMAT, ""));
	OK(load_refuses(tg_bytes_str("{\"entries\":[[[[[[[[]]]]]]]],\"tensorguard_trust\":1}"),
	    TG_E_LIMIT, ""));
}

static void
truncated_stores_are_refused(void)
{
	struct tg_buf b = one_entry();
	unsigned long bad = 0, of = 0;

	for (size_t n = 0; n < b.n; n += n < 64 || n + 128 > b.n ? 1 : 61) {
		bad += !load_refuses((tg_bytes){ b.p, n }, TG_E_FORMAT, "");
		of++;
	}
	OK_NONE(bad, of, "a store cut short");
	tg_buf_done(&b);
}

/* Blanks make a file long without any other fault. */
static void
long_stores_are_refused(void)
{
	struct tg_buf b = one_entry();
	uint8_t *p = NULL;
	const size_t room = TG_MAX_TRUST_STORE - b.n;
	struct tg_trust *t = empty();

	MUST(((void)err, tg_buf_grow(&b, room + 1, &p)));
	memset(p, ' ', room + 1);
	OK(load_refuses(tg_buf_view(&b), TG_E_LIMIT, ""));
	write_text("good.json", b.p, b.n - 1);
	OK_STATUS(tg_trust_load(t, "good.json", NULL), TG_OK);
	OK(remove("good.json") == 0 && remove("bad.json") == 0);
	tg_trust_free(t);
	tg_buf_done(&b);
}

static void
what_is_no_file(void)
{
	struct tg_trust *t = empty();

	OK_STATUS(tg_trust_load(t, "absent.json", NULL), TG_E_NOTFOUND);
	OK_STATUS(tg_trust_load(t, "absent/store.json", NULL), TG_E_NOTFOUND);
	OK_STATUS(tg_trust_load(t, ".", NULL), TG_E_USAGE);
	OK(mkfifo("fifo", 0600) == 0);
	OK_STATUS(tg_trust_load(t, "fifo", NULL), TG_E_USAGE); /* and does not wait for a writer */
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "fifo", NULL), TG_E_USAGE);
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "absent", NULL), TG_E_NOTFOUND);
	OK(tg_trust_count(t) == 0);
	OK(remove("fifo") == 0);
	tg_trust_free(t);
}

/* As many as a folder may give; one more is refused. */
static void
at_most_so_many(void)
{
	struct tg_trust *t = empty();
	unsigned long bad = 0;

	for (size_t i = 0; i <= TG_MAX_TRUST_FILES; i++) {
		struct tg_key *k =
		    fixed_key(TG_KEY_SIGNING, (uint8_t)(i & 0xff), (uint8_t)(i >> 8));
		const tg_status s = put_entry(t, plain(TG_TRUST_AUTHOR), k);

		bad += s != (i < TG_MAX_TRUST_FILES ? TG_OK : TG_E_LIMIT);
		tg_key_free(k);
	}
	OK_NONE(bad, TG_MAX_TRUST_FILES + 1, "entries up to the limit");
	OK(tg_trust_count(t) == TG_MAX_TRUST_FILES);
	tg_trust_free(t);
}

/* ---- paths ---- */

static void
a_folder_of_mixed_keys(void)
{
	struct tg_trust *t = empty();

	OK(mkdir("keys", 0755) == 0 && mkdir("keys/more", 0755) == 0);
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "keys", NULL), TG_E_NOTFOUND); /* empty */
	MUST(tg_key_save_public(reader, "keys/encryption.pub", err));
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "keys", NULL), TG_E_NOTFOUND);
	MUST(tg_key_save_private(delegate, "keys/signing.priv", NULL, err)); /* no .pub, not read */
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "keys", NULL), TG_E_NOTFOUND);
	OK(tg_trust_count(t) == 0);

	MUST(tg_key_save_public(author, "keys/signing.pub", err));
	MUST(tg_key_save_public(other_author, "keys/more/other.pub", err));
	MUST(tg_key_save_public(author, "keys/more/copy.pub", err)); /* the same once more */
	write_text("keys/README.txt", "x", 1);
	write_text("keys/signing.pub.bak", "x", 1);
	write_text("keys/more/pub", "x", 1);
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "keys", NULL), TG_OK);
	OK(finds(t, TG_TRUST_AUTHOR, author) && finds(t, TG_TRUST_AUTHOR, other_author));
	OK(!finds(t, TG_TRUST_AUTHOR, delegate) && !finds(t, TG_TRUST_DELEGATE, author));

	/* all of it again, and by file, and in the other role */
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "keys", NULL), TG_OK);
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "keys/signing.pub", NULL), TG_OK);
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "keys/signing.pub", NULL), TG_OK);
	OK(finds(t, TG_TRUST_AUTHOR, author) && !finds(t, TG_TRUST_DELEGATE, author));
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_DELEGATE, "keys/signing.pub", NULL), TG_OK);
	OK(finds(t, TG_TRUST_DELEGATE, author) && !finds(t, TG_TRUST_DELEGATE, other_author));
	const size_t n = tg_trust_count(t);
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "keys/encryption.pub", NULL), TG_E_USAGE);
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "keys/README.txt", NULL), TG_E_FORMAT);
	OK(tg_trust_count(t) == n);
	tg_trust_free(t);
}

/* One .pub that is none, or a link, and the folder is refused rather than half believed. */
static void
a_folder_with_a_bad_file(void)
{
	static const struct {
		const char *name, *text;
		tg_status want;
	} rows[] = {
		{ "keys/more/bad.pub", "x", TG_E_FORMAT },
		{ "keys/more/empty.pub", "", TG_E_FORMAT },
		{ "keys/more/store.pub", "{\"entries\":[],\"tensorguard_trust\":1}\n",
		    TG_E_FORMAT },
		{ "keys/more/link.pub", NULL, TG_E_USAGE },
		{ "keys/more/link.txt", NULL, TG_E_USAGE },
	};

	for (size_t i = 0; i < TG_LEN(rows); i++) {
		struct tg_trust *t = empty();

		if (rows[i].text != NULL)
			write_text(rows[i].name, rows[i].text, strlen(rows[i].text));
		else if (symlink("copy.pub", rows[i].name) != 0)
			abort();
		const tg_status s = tg_trust_add_path(t, TG_TRUST_AUTHOR, "keys", NULL);
		named(s == rows[i].want, "a folder with %s: %s", rows[i].name, tg_status_name(s));
		if (remove(rows[i].name) != 0)
			abort();
		tg_trust_free(t);
	}
	/* the folder itself may be named through a link */
	struct tg_trust *t = empty();
	OK(symlink("keys", "way") == 0);
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "way", NULL), TG_OK);
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "way/signing.pub", NULL), TG_OK);
	OK(finds(t, TG_TRUST_AUTHOR, author) && finds(t, TG_TRUST_AUTHOR, other_author));
	tg_trust_free(t);
}

/* ---- several sources ---- */

/* Save a store of one entry. */
static void
save_store(const char *path, struct tg_trust_entry e, const struct tg_key *k)
{
	struct tg_trust *t = empty();

	MUST(((void)err, put_entry(t, e, k)));
	MUST(tg_trust_save(t, path, err));
	tg_trust_free(t);
}

/* Is the author trusted at this time, when these are given with --trust? */
static bool
trusted_at(int64_t now, const char *const *paths, size_t n)
{
	struct tg_trust *t = empty();

	tg_trust_set_time(t, now);
	for (size_t i = 0; i < n; i++)
		MUST(tg_trust_add_path(t, TG_TRUST_AUTHOR, paths[i], err));
	const bool ret = finds(t, TG_TRUST_AUTHOR, author);
	tg_trust_free(t);
	return ret;
}

/* What one source trusts is trusted, in any order and however often it is said. */
static void
sources_add_up(void)
{
	static const char early[] = "early.json", late[] = "late.json", pub[] = "keys/signing.pub";
	const char *const twice[] = { early, early }, *const both[] = { early, late },
			  *const turned[] = { late, early }, *const and_key[] = { early, pub },
			  *const key_first[] = { pub, early },
			  *const and_folder[] = { early, "keys" };

	save_store(early, entry(TG_TRUST_AUTHOR, "a", 1000, 2000), author);
	save_store(late, entry(TG_TRUST_AUTHOR, "b", 1900, 3000), author);
	OK(trusted_at(1000, twice, 2) && !trusted_at(2001, twice, 2));
	OK(trusted_at(1000, both, 2) && trusted_at(3000, both, 2) && trusted_at(1950, both, 2));
	OK(trusted_at(1000, turned, 2) && trusted_at(3000, turned, 2));
	OK(!trusted_at(999, both, 2) && !trusted_at(3001, both, 2));
	OK(!trusted_at(999, turned, 2) && !trusted_at(3001, turned, 2));
	/* a key that is named by itself is trusted without a bound */
	OK(trusted_at(5000, and_key, 2) && trusted_at(5000, key_first, 2));
	OK(trusted_at(5000, and_folder, 2) && !trusted_at(5000, and_key, 1));
}

/* A store says itself who is what: given as one of delegates it must not make authors. */
static void
stores_are_no_delegates(void)
{
	struct tg_trust *t = empty();
	struct tg_error why = TG_ERROR_INIT;

	OK_STATUS(tg_trust_add_path(t, TG_TRUST_DELEGATE, "early.json", &why), TG_E_USAGE);
	OK(strstr(why.text, "--trust") != NULL);
	save_store("delegate.json", plain(TG_TRUST_DELEGATE), delegate);
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_DELEGATE, "delegate.json", NULL), TG_E_USAGE);
	OK(tg_trust_count(t) == 0);
	OK_STATUS(tg_trust_add_path(t, TG_TRUST_AUTHOR, "delegate.json", NULL), TG_OK);
	OK(finds(t, TG_TRUST_DELEGATE, delegate) && !finds(t, TG_TRUST_AUTHOR, delegate));
	tg_trust_free(t);
}

/* A private key where a public one belongs is a mistake, not a key: it is told from others before
 * any of it is copied, protected or not. */
static void
private_keys_are_refused(void)
{
	struct tg_secret *phrase = NULL;
	struct tg_trust *t = empty();
	static const char *const paths[] = { "plain.priv", "boxed.priv", "keys" };

	MUST(tg_secret_new(4, &phrase, err));
	memcpy(tg_secret_bytes(phrase), "word", 4);
	MUST(tg_key_save_private(delegate, "plain.priv", NULL, err));
	MUST(tg_key_save_private(delegate, "boxed.priv", phrase, err));
	MUST(tg_key_save_private(delegate, "keys/more/private.pub", NULL, err));
	for (size_t i = 0; i < TG_LEN(paths); i++) {
		struct tg_error why = TG_ERROR_INIT;
		const tg_status s = tg_trust_add_path(t, TG_TRUST_AUTHOR, paths[i], &why);

		named(s == TG_E_USAGE && strstr(why.text, "private key") != NULL &&
			!finds(t, TG_TRUST_AUTHOR, delegate),
		    "refused: %s", paths[i]);
	}
	OK(remove("keys/more/private.pub") == 0);
	tg_secret_free(phrase);
	tg_trust_free(t);
}

int
main(void)
{
	if (mkdtemp(folder) == NULL || chdir(folder) != 0)
		abort();
	cast_make();
	roles_are_apart();
	roles_in_packages();
	windows_are_inclusive();
	time_can_be_set_again();
	windows_belong_to_the_role();
	windows_in_packages();
	a_key_stands_once_in_each_role();
	only_signing_keys();
	removing();
	labels_are_names();
	stores_come_back_as_they_went();
	entries_are_added_to_what_is_there();
	saving_replaces_or_does_nothing();
	damaged_stores_are_refused();
	good_stores_are_accepted();
	keys_of_a_store();
	other_texts_are_no_stores();
	truncated_stores_are_refused();
	long_stores_are_refused();
	what_is_no_file();
	at_most_so_many();
	a_folder_of_mixed_keys();
	a_folder_with_a_bad_file();
	sources_add_up();
	stores_are_no_delegates();
	private_keys_are_refused();
	cast_done();
	if (chdir("/") != 0)
		abort();
	(void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
