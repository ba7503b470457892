/* Key files (docs/KEYS.md): what is written reads back, and nothing else does. */
#include "../../tap.h"
#include "crypto/key.h"
#include "util/buf.h"
#include "util/file.h"
#include "util/text.h"
#include "util/try.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[] = "/tmp/tg-keyfile-XXXXXX";
static char path_buf[4][128];

static const char *
in(const char *name)
{
	static unsigned next;
	char *p = path_buf[next++ % 4];

	(void)snprintf(p, sizeof(path_buf[0]), "%s/%s", scratch, name);
	return p;
}

static void
must(tg_status s)
{
	if (s != TG_OK) {
		printf("Bail out! %s\n", tg_status_name(s));
		exit(1);
	}
}

/* ---- texts, and how to alter them ---- */

static char *
text_of(const char *name)
{
	struct tg_buf b = { .max = 1 << 16 };
	char *text;

	must(tg_file_read(in(name), &b, NULL));
	text = malloc(b.n + 1);
	if (text == NULL)
		abort();
	memcpy(text, b.p, b.n);
	text[b.n] = '\0';
	tg_buf_done(&b);
	return text;
}

/* text with the first `from` replaced by `to`; NULL when it is not there. A new text. */
static char *
replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *ret = at == NULL ? NULL : malloc(strlen(text) + strlen(to) + 1);

	if (ret != NULL)
		(void)sprintf(ret, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	return ret;
}

/* A `"key":value` member as it stands in the text, value being a string, a number or an object. */
static char *
member(const char *text, const char *key)
{
	char quoted[64];
	const char *at, *end;
	int depth = 0;

	(void)snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(text, quoted);
	if (at == NULL) {
		printf("Bail out! no \"%s\"\n", key);
		exit(1);
	}
	for (end = at + strlen(quoted); depth > 0 || (*end != ',' && *end != '}'); end++)
		depth += (*end == '{') - (*end == '}');
	return strndup(at, (size_t)(end - at));
}

static struct tg_error last;

static tg_status
parse(const char *text, const struct tg_passphrase *phrase, struct tg_key **ret)
{
	last = (struct tg_error)TG_ERROR_INIT;
	return tg_key_parse(tg_bytes_str(text), "key file", phrase, ret, &last);
}

/* ---- passphrases ---- */

struct asked {
	const char *answer; /* NULL: fails */
	unsigned times;
};

static tg_status
answer(void *ctx, struct tg_secret **ret, struct tg_error *err)
{
	struct asked *a = ctx;

	a->times++;
	if (a->answer == NULL)
		return tg_fail(err, TG_E_BUSY, "nobody there");
	TG_TRY(tg_secret_new(strlen(a->answer), ret, err));
	memcpy(tg_secret_bytes(*ret), a->answer, strlen(a->answer));
	return TG_OK;
}

static struct tg_secret *
secret(const char *s)
{
	struct tg_secret *ret = NULL;

	must(tg_secret_new(strlen(s), &ret, NULL));
	memcpy(tg_secret_bytes(ret), s, strlen(s));
	return ret;
}

/* ---- good files ---- */

static unsigned
mode_of(const char *name)
{
	struct stat st;

	return stat(in(name), &st) == 0 ? (unsigned)st.st_mode & 07777 : 0;
}

static void
what_is_written_reads_back(enum tg_key_use use, const char *name)
{
	struct tg_key *k = NULL, *pub = NULL, *priv = NULL;
	char file[2][32];

	(void)snprintf(file[0], sizeof(file[0]), "%s.pub", name);
	(void)snprintf(file[1], sizeof(file[1]), "%s.priv", name);
	must(tg_key_generate(use, 1700000000, &k, NULL));
	umask(0);
	OK_STATUS(tg_key_save_public(k, in(file[0]), NULL), TG_OK);
	OK_STATUS(tg_key_save_private(k, in(file[1]), NULL, NULL), TG_OK);
	umask(022);
	OK(mode_of(file[0]) == 0644 && mode_of(file[1]) == 0600);
	OK_STATUS(tg_key_load(in(file[0]), NULL, &pub, NULL), TG_OK);
	OK_STATUS(tg_key_load(in(file[1]), NULL, &priv, NULL), TG_OK);
	OK(!tg_key_has_private(pub) && tg_key_has_private(priv));
	OK(memcmp(tg_key_id(pub), tg_key_id(k), 16) == 0 && tg_key_created(pub) == 1700000000);
	OK(memcmp(tg_key_id(priv), tg_key_id(k), 16) == 0 && tg_key_use_of(priv) == use);
	OK(memcmp(tg_secret_bytes(priv->seeds), tg_secret_bytes(k->seeds),
	       tg_secret_len(k->seeds)) == 0);
	/* never over what is there */
	OK_STATUS(tg_key_save_public(k, in(file[0]), NULL), TG_E_CONFLICT);
	OK_STATUS(tg_key_save_private(k, in(file[1]), NULL, NULL), TG_E_CONFLICT);
	OK_STATUS(tg_key_save_private(pub, in("none.priv"), NULL, NULL), TG_E_USAGE);
	OK(access(in("none.priv"), F_OK) != 0);
	tg_key_free(k);
	tg_key_free(pub);
	tg_key_free(priv);
}

static void
white_space_and_order_are_free(void)
{
	char *text = text_of("sign.pub"), *alg = member(text, "alg"), *use = member(text, "use");
	char *a = replaced(text, alg, "\"@\""), *b = replaced(a, use, alg);
	char *c = replaced(b, "\"@\"", use), *d = replaced(c, ",", " ,\n\t ");
	struct tg_key *k = NULL;

	OK_STATUS(parse(d, NULL, &k), TG_OK);
	tg_key_free(k);
	free(text), free(alg), free(use), free(a), free(b), free(c), free(d);
}

/* ---- bad files ---- */

static void
refused(const char *text, tg_status want, const char *why, const char *name)
{
	struct tg_key *k = NULL;
	struct asked asked = { "passphrase", 0 };
	const struct tg_passphrase phrase = { answer, &asked };
	const tg_status s = text == NULL ? TG_E_INTERNAL : parse(text, &phrase, &k);
	const bool good = s == want && k == NULL && strstr(last.text, why) != NULL;

	tap_n++;
	tap_bad += !good;
	printf("%s %d - refused: %s\n", good ? "ok" : "not ok", tap_n, name);
	if (!good)
		printf("# got %s, \"%s\"\n", tg_status_name(s), last.text);
}

static void
no_key_files(void)
{
	static const struct {
		const char *text;
		tg_status want;
		const char *why;
	} texts[] = {
		{ "", TG_E_FORMAT, "value expected" },
		{ "{", TG_E_FORMAT, "" },
		{ "{}", TG_E_FORMAT, "not a TensorGuard key file" },
		{ "[]", TG_E_FORMAT, "not a TensorGuard key file" },
		{ "7", TG_E_FORMAT, "not a TensorGuard key file" },
		{ "\"tensorguard_key\"", TG_E_FORMAT, "not a TensorGuard key file" },
		{ "-----BEGIN PRIVATE KEY-----\n", TG_E_FORMAT, "" },
		{ "{\"tensorguard_key\":1}", TG_E_FORMAT, "no \"alg\"" },
		{ "{\"private\":{\"classic\":\"AA\",\"classic\":\"AA\"},\"tensorguard_key\":1}",
		    TG_E_FORMAT, "" },
		{ "[[[[[[[[[]]]]]]]]]", TG_E_LIMIT, "8 brackets" },
	};

	for (size_t i = 0; i < TG_LEN(texts); i++)
		refused(texts[i].text, texts[i].want, texts[i].why, texts[i].text);
}

/* Each field: away, of another type, of another value. */
static void
every_field(const char *file)
{
	static const struct {
		const char *key, *value; /* value NULL: the member goes */
		tg_status want;
		const char *why;
	} changes[] = {
		{ "alg", NULL, TG_E_FORMAT, "no \"alg\"" },
		{ "alg", "1", TG_E_FORMAT, "\"alg\" is an integer" },
		{ "alg", "\"Ed25519\"", TG_E_UNSUPPORTED, "\"Ed25519\"" },
		{ "alg", "\"\"", TG_E_UNSUPPORTED, "algorithm" },
		{ "alg", "\"ed25519-mldsa65\"", TG_E_UNSUPPORTED, "algorithm" },
		{ "created", NULL, TG_E_FORMAT, "no \"created\"" },
		{ "created", "\"now\"", TG_E_FORMAT, "\"created\" is a string" },
		{ "created", "1.5", TG_E_FORMAT, "\"created\" is" },
		{ "created", "null", TG_E_FORMAT, "\"created\" is" },
		{ "key_id", NULL, TG_E_FORMAT, "no \"key_id\"" },
		{ "key_id", "7", TG_E_FORMAT, "\"key_id\" is an integer" },
		{ "key_id", "\"\"", TG_E_FORMAT, "key_id is not that of the public key" },
		{ "key_id", "\"00000000000000000000000000000000\"", TG_E_FORMAT,
		    "key_id is not that of the public key" },
		{ "public", NULL, TG_E_FORMAT, "no \"public\"" },
		{ "public", "\"x\"", TG_E_FORMAT, "\"public\" is a string" },
		{ "public", "{}", TG_E_FORMAT, "no \"classic\"" },
		{ "public", "{\"classic\":\"AA\",\"pqc\":\"AA\"}", TG_E_FORMAT,
		    "\"classic\" is not base64" },
		{ "public", "{\"classic\":1,\"pqc\":\"AA\"}", TG_E_FORMAT,
		    "\"classic\" is an integer" },
		{ "tensorguard_key", NULL, TG_E_FORMAT, "not a TensorGuard key file" },
		{ "tensorguard_key", "\"1\"", TG_E_FORMAT, "\"tensorguard_key\" is a string" },
		{ "tensorguard_key", "2", TG_E_UNSUPPORTED, "version 2" },
		{ "tensorguard_key", "0", TG_E_UNSUPPORTED, "version 0" },
		{ "tensorguard_key", "-1", TG_E_UNSUPPORTED, "version -1" },
		{ "use", NULL, TG_E_FORMAT, "no \"use\"" },
		{ "use", "true", TG_E_FORMAT, "\"use\" is true or false" },
		{ "use", "\"encryption\"", TG_E_UNSUPPORTED, "\"encryption\"" },
		{ "use", "\"both\"", TG_E_UNSUPPORTED, "\"both\"" },
	};
	char *text = text_of(file);

	for (size_t i = 0; i < TG_LEN(changes); i++) {
		char *m = member(text, changes[i].key), name[160], now[128];
		char with_comma[4096];

		(void)snprintf(now, sizeof(now), "\"%s\":%s", changes[i].key,
		    changes[i].value == NULL ? "" : changes[i].value);
		(void)snprintf(with_comma, sizeof(with_comma), ",%s", m);
		/* "use" is the last member, all others have a comma behind them */
		if (changes[i].value == NULL && strstr(text, with_comma) == NULL)
			(void)snprintf(with_comma, sizeof(with_comma), "%s,", m);
		char *changed = changes[i].value == NULL ? replaced(text, with_comma, "")
							 : replaced(text, m, now);
		(void)snprintf(name, sizeof(name), "%s: %s %s", file, changes[i].key,
		    changes[i].value == NULL ? "away" : changes[i].value);
		refused(changed, changes[i].want, changes[i].why, name);
		free(changed);
		free(m);
	}
	char *more = replaced(text, "\"use\":", "\"zz\":1,\"use\":");
	refused(more, TG_E_FORMAT, "unknown key \"zz\"", "unknown member");
	free(more);
	more = replaced(text, "\"pqc\":", "\"pqd\":\"\",\"pqc\":");
	refused(more, TG_E_FORMAT, "unknown key \"pqd\"", "unknown member of a pair");
	free(more);
	more = replaced(text, "\"use\":", "\"use\":\"signing\",\"use\":");
	refused(more, TG_E_FORMAT, "", "member twice");
	free(more);
	free(text);
}

/* The public halves of two keys exchanged, one or both. */
static void
public_parts_of_another_key(void)
{
	char *a = text_of("sign.pub"), *b = text_of("other.pub");
	char *pa = member(a, "public"), *pb = member(b, "public");
	char *ca = member(pa, "classic"), *cb = member(pb, "classic");
	char *swapped = replaced(a, pa, pb), *half = replaced(a, ca, cb);

	refused(swapped, TG_E_FORMAT, "key_id is not that", "public part of another key");
	refused(half, TG_E_FORMAT, "key_id is not that", "classic half of another key");
	free(a), free(b), free(pa), free(pb), free(ca), free(cb), free(swapped), free(half);
	/* in a private file with the key_id to match, so that only the private part tells */
	a = text_of("sign.priv"), b = text_of("other.priv");
	pa = member(a, "private"), pb = member(b, "private");
	swapped = replaced(a, pa, pb);
	refused(swapped, TG_E_FORMAT, "do not belong together", "private part of another key");
	free(a), free(b), free(pa), free(pb), free(swapped);
}

/* The point of order 1 as a public key, with the key_id to match. */
static void
weak_public_keys(void)
{
	char *text = text_of("sign.pub"), *c = member(text, "classic");
	char *weak =
	    replaced(text, c, "\"classic\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"");

	refused(weak, TG_E_FORMAT, "non-canonical or of small order", "Ed25519 key of small order");
	free(text), free(c), free(weak);
	text = text_of("enc.pub");
	char *p = member(text, "pqc"), bad[1800] = "\"pqc\":\"";
	memset(bad + 7, '/', 1579);
	strcpy(bad + 7 + 1578, "8\"");
	weak = replaced(text, p, bad);
	refused(weak, TG_E_FORMAT, "not a valid ML-KEM-768 key", "ML-KEM key out of range");
	free(text), free(p), free(weak);
}

static void
unprotected_private_parts(void)
{
	char *text = text_of("sign.priv"), *m = member(text, "private");
	static const struct {
		const char *value;
		tg_status want;
		const char *why;
	} values[] = {
		{ "{}", TG_E_FORMAT, "no \"classic\"" },
		{ "{\"classic\":\"AA\"}", TG_E_FORMAT, "no \"pqc\"" },
		{ "{\"classic\":\"AA\",\"pqc\":\"AA\"}", TG_E_FORMAT, "two seeds" },
		{ "{\"classic\":1,\"pqc\":\"AA\"}", TG_E_FORMAT, "\"classic\" is an integer" },
		{ "{\"classic\":[\"AA\"],\"pqc\":\"AA\"}", TG_E_FORMAT, "\"classic\" is an array" },
		{ "{\"classic\":{\"classic\":\"AA\"},\"pqc\":\"AA\"}", TG_E_FORMAT,
		    "is an object" },
		{ "{\"pqc\":\"AA\",\"classic\":\"AA\"}", TG_E_FORMAT,
		    "\"pqc\" before \"classic\"" },
		{ "{\"classic\":\"\",\"pqc\":\"\"}", TG_E_FORMAT, "two seeds" },
		{ "{\"classic\":\"AA\",\"pqc\":\"AA\",\"x\":1}", TG_E_FORMAT, "unknown key \"x\"" },
		{ "[]", TG_E_FORMAT, "\"private\" is an array" },
		{ "\"seed\"", TG_E_FORMAT, "\"private\" is a string" },
		{ "null", TG_E_FORMAT, "\"private\" is" },
	};

	for (size_t i = 0; i < TG_LEN(values); i++) {
		char now[256], name[256];
		(void)snprintf(now, sizeof(now), "\"private\":%s", values[i].value);
		char *changed = replaced(text, m, now);

		(void)snprintf(name, sizeof(name), "private is %s", values[i].value);
		refused(changed, values[i].want, values[i].why, name);
		free(changed);
	}
	char *escaped =
	    replaced(text, "\"private\":{\"classic\"", "\"private\":{\"cl\\u0061ssic\"");
	refused(escaped, TG_E_FORMAT, "", "a seed behind an escaped name");
	free(escaped);
	free(text), free(m);
}

/* ---- passphrases: 0.2 s each, so few of them ---- */

static void
protected_files(void)
{
	struct tg_key *k = NULL, *back = NULL;
	struct tg_secret *phrase = secret("correct horse");
	struct asked right = { "correct horse", 0 }, wrong = { "correct horsE", 0 },
		     none = { NULL, 0 };
	const struct tg_passphrase ask = { answer, &right }, ask_wrong = { answer, &wrong };
	const struct tg_passphrase ask_nobody = { answer, &none };

	must(tg_key_generate(TG_KEY_SIGNING, 1700000000, &k, NULL));
	OK_STATUS(tg_key_save_private(k, in("boxed.priv"), phrase, NULL), TG_OK);
	OK(mode_of("boxed.priv") == 0600);
	OK_STATUS(tg_key_load(in("boxed.priv"), &ask, &back, NULL), TG_OK);
	OK(right.times == 1 && memcmp(tg_key_id(back), tg_key_id(k), 16) == 0);
	OK(tg_key_has_private(back));
	tg_key_free(back);
	back = NULL;
	OK_STATUS(tg_key_load(in("boxed.priv"), &ask_wrong, &back, &last), TG_E_AUTH);
	OK(strstr(last.text, "wrong passphrase, or the file was changed") != NULL);
	OK_STATUS(tg_key_load(in("boxed.priv"), NULL, &back, &last), TG_E_AUTH);
	OK(strstr(last.text, "protected by a passphrase") != NULL);
	OK_STATUS(tg_key_load(in("boxed.priv"), &ask_nobody, &back, NULL), TG_E_BUSY);
	OK(back == NULL);
	/* neither seed stands in the file in any of the forms we know */
	char *text = text_of("boxed.priv"), seed[100];
	tg_base64_encode(seed, (tg_bytes){ tg_secret_bytes(k->seeds), 30 });
	OK(strstr(text, seed) == NULL && strstr(text, "\"box\":") != NULL);
	OK(memmem(text, strlen(text), tg_secret_bytes(k->seeds), 16) == NULL);
	free(text);
	tg_secret_free(phrase);
	tg_key_free(k);
}

/* The box is bound to the public part: moved to another file it does not open. */
static void
a_box_in_another_file(void)
{
	char *boxed = text_of("boxed.priv"), *other = text_of("other.priv");
	char *box = member(boxed, "private"), *plain = member(other, "private");
	char *moved = replaced(other, plain, box),
	     *older = replaced(boxed, "1700000000", "1700000001");
	struct tg_key *k = NULL;
	struct asked right = { "correct horse", 0 };
	const struct tg_passphrase ask = { answer, &right };

	OK_STATUS(parse(moved, &ask, &k), TG_E_AUTH);
	OK_STATUS(parse(older, &ask, &k), TG_E_AUTH); /* "created" is bound too */
	OK(k == NULL && right.times == 2);
	free(boxed), free(other), free(box), free(plain), free(moved), free(older);
}

/* What a box may not say; all of it found before anybody is asked for a passphrase. */
static void
boxes_out_of_shape(void)
{
	static const struct {
		const char *key, *value;
		tg_status want;
		const char *why;
	} changes[] = {
		{ "kdf", "\"argon2i\"", TG_E_UNSUPPORTED, "\"argon2i\"" },
		{ "kdf", "\"scrypt\"", TG_E_UNSUPPORTED, "\"scrypt\"" },
		{ "kdf", "1", TG_E_FORMAT, "\"kdf\" is an integer" },
		{ "m", "0", TG_E_LIMIT, "cost out of range" },
		{ "m", "-1", TG_E_LIMIT, "cost out of range" },
		{ "m", "1048577", TG_E_LIMIT, "cost out of range" },
		{ "m", "4294967304", TG_E_LIMIT, "cost out of range" },
		{ "m", "\"65536\"", TG_E_FORMAT, "\"m\" is a string" },
		{ "t", "0", TG_E_LIMIT, "cost out of range" },
		{ "t", "17", TG_E_LIMIT, "cost out of range" },
		{ "p", "0", TG_E_LIMIT, "cost out of range" },
		{ "p", "17", TG_E_LIMIT, "cost out of range" },
		{ "p", "4294967297", TG_E_LIMIT, "cost out of range" },
		{ "nonce", "\"AA\"", TG_E_FORMAT, "\"nonce\" is not base64 of 12" },
		{ "salt", "\"AA\"", TG_E_FORMAT, "\"salt\" is not base64 of 16" },
		{ "salt", "\"\"", TG_E_FORMAT, "\"salt\" is not base64 of 16" },
		{ "box", "\"AA\"", TG_E_FORMAT, "\"box\" is not base64 of 80" },
		{ "box", "7", TG_E_FORMAT, "\"box\" is an integer" },
	};
	char *text = text_of("boxed.priv");

	for (size_t i = 0; i < TG_LEN(changes); i++) {
		char *m = member(text, changes[i].key), now[128], name[160];
		struct asked asked = { "correct horse", 0 };
		const struct tg_passphrase ask = { answer, &asked };
		struct tg_key *k = NULL;

		(void)snprintf(now, sizeof(now), "\"%s\":%s", changes[i].key, changes[i].value);
		(void)snprintf(name, sizeof(name), "box with %s", now);
		char *changed = replaced(text, m, now);
		refused(changed, changes[i].want, changes[i].why, name);
		OK(parse(changed, &ask, &k) == changes[i].want && asked.times == 0);
		free(changed);
		free(m);
	}
	static const char *const members[] = { "box", "m", "nonce", "p", "salt" };
	for (size_t i = 0; i < TG_LEN(members); i++) {
		char *m = member(text, members[i]), with_comma[512], why[32];

		(void)snprintf(with_comma, sizeof(with_comma), "%s,", m);
		(void)snprintf(why, sizeof(why), "no \"%s\"", members[i]);
		char *changed = replaced(text, with_comma, "");
		refused(changed, TG_E_FORMAT, why, why);
		free(changed);
		free(m);
	}
	free(text);
}

static void
files_of_every_size(void)
{
	struct tg_key *k = NULL;
	char *large = malloc((64 << 10) + 2);
	FILE *f = fopen(in("large.pub"), "w");

	if (large == NULL || f == NULL)
		abort();
	memset(large, ' ', (64 << 10) + 1);
	OK(fwrite(large, 1, (64 << 10) + 1, f) == (64 << 10) + 1 && fclose(f) == 0);
	OK_STATUS(tg_key_load(in("large.pub"), NULL, &k, NULL), TG_E_LIMIT);
	f = fopen(in("empty.pub"), "w");
	OK(f != NULL && fclose(f) == 0);
	OK_STATUS(tg_key_load(in("empty.pub"), NULL, &k, NULL), TG_E_FORMAT);
	OK_STATUS(tg_key_load(in("absent.pub"), NULL, &k, NULL), TG_E_NOTFOUND);
	OK_STATUS(tg_key_load(scratch, NULL, &k, NULL), TG_E_USAGE);
	OK(k == NULL);
	free(large);
}

int
main(void)
{
	static const char *const files[] = { "sign.pub", "sign.priv", "other.pub", "other.priv",
		"enc.pub", "enc.priv", "log.pub", "log.priv", "boxed.priv", "large.pub", "empty.pub" };

	if (mkdtemp(scratch) == NULL)
		return 1;
	what_is_written_reads_back(TG_KEY_SIGNING, "sign");
	what_is_written_reads_back(TG_KEY_SIGNING, "other");
	what_is_written_reads_back(TG_KEY_ENCRYPTION, "enc");
	what_is_written_reads_back(TG_KEY_CHECKPOINT, "log");
	white_space_and_order_are_free();
	no_key_files();
	every_field("sign.pub");
	every_field("sign.priv");
	public_parts_of_another_key();
	weak_public_keys();
	unprotected_private_parts();
	protected_files();
	a_box_in_another_file();
	boxes_out_of_shape();
	files_of_every_size();
	for (size_t i = 0; i < TG_LEN(files); i++)
		OK(unlink(in(files[i])) == 0);
	OK(rmdir(scratch) == 0);
	return tap_done();
}
