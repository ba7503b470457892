/* Signed notes: C2SP's examples, names, and every way not to be one. */
#include "../../tap.h"
#include "evidence/note.h"
#include "util/text.h"
#include "util/try.h"

#include <stdlib.h>

#define VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define TEXT "This is an example message.\n"
#define SIG                                                                                        \
	"Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72Iney" \
	"aQM="
#define LINE "\xe2\x80\x94 example.com/foo " SIG "\n"
#define NOTE TEXT "\n" LINE

static struct tg_error last;

static tg_status
parse(const char *text, struct tg_note *ret)
{
	last = (struct tg_error)TG_ERROR_INIT;
	return tg_note_parse(tg_bytes_str(text), "note", ret, &last);
}

/* ---- published ---- */

static void
the_example_verifies(void)
{
	struct tg_note_key *k = NULL;
	struct tg_note n;
	struct tg_buf b = { .max = 4096 };
	static const tg_bytes none = { NULL, 0 };

	OK_STATUS(tg_note_key_parse(tg_bytes_str(VKEY), &k, NULL), TG_OK);
	OK(strcmp(k->name, "example.com/foo") == 0 && k->type == TG_NOTE_ED25519 &&
	    k->pk_len == 32);
	OK(memcmp(k->id, "\x53\x0d\x90\x3a", 4) == 0);
	OK_STATUS(tg_note_key_print(k, &b), TG_OK);
	OK(tg_bytes_equal(tg_buf_view(&b), tg_bytes_str(VKEY)));
	OK_STATUS(parse(NOTE, &n), TG_OK);
	OK(tg_bytes_equal(n.text, tg_bytes_str(TEXT)) && n.n == 1);
	OK(tg_bytes_equal(n.line[0].name, tg_bytes_str(k->name)));
	OK(memcmp(n.line[0].id, k->id, 4) == 0 && n.line[0].sig.n == 64);
	OK_STATUS(tg_sig_ed25519.verify(k->key, n.text, none, n.line[0].sig.p, NULL), TG_OK);
	OK_STATUS(tg_sig_ed25519.verify(
		      k->key, (tg_bytes){ n.text.p, n.text.n - 1 }, none, n.line[0].sig.p, NULL),
	    TG_E_AUTH);
	b.n = 0;
	OK_STATUS(tg_note_put_line(&b, k->name, k->id, n.line[0].sig), TG_OK);
	OK(tg_bytes_equal(tg_buf_view(&b), tg_bytes_str(LINE)));
	tg_buf_done(&b);
	tg_note_done(&n);
	tg_note_key_free(k);
	tg_note_key_free(NULL);
}

/* An empty line within the text, and letters beyond ASCII. */
static void
the_poem_parses(void)
{
	static const char text[] =
	    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:"
	    "\n\n\xc3\xa8"
	    "d \xc3\xa8 subito sera.\n";
	char all[512];
	struct tg_note n;

	(void)snprintf(all, sizeof(all), "%s\n\xe2\x80\x94 quasimodo.example/salvatore %s\n", text,
	    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/"
	    "5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwN"
	    "tIc=");
	OK_STATUS(parse(all, &n), TG_OK);
	OK(tg_bytes_equal(n.text, tg_bytes_str(text)) && n.n == 1 && n.line[0].sig.n == 64);
	tg_note_done(&n);
}

/* ---- keys ---- */

static void
names_of_keys(void)
{
	static const char *const good[] = { "a", "example.com/log42", "oid/1.3.6.1.4.1", "\xc3\xa9",
		("a\xe2\x80\x8b"
		 "b"), /* zero width, but no space */
		"-", "\xf0\x9f\x90\xba" };
	static const char *const bad[] = { "", " ", "a b", "a+b", "+", "a\tb", "a\nb",
		"a\x01"
		"b",
		"a\xc2\x85",
		"\xc2\xa0"
		"a",
		"a\xe1\x9a\x80", "a\xe2\x80\x80", "a\xe2\x80\x8a",
		"a\xe2\x80\xa8"
		"b",
		"a\xe2\x80\xa9", "a\xe2\x80\xaf", "a\xe2\x81\x9f", "a\xe3\x80\x80", "\xff", "a\xc3",
		"\xed\xa0\x80" };
	struct tg_note_key *k = NULL;
	uint8_t pk[32];
	char name[TG_NOTE_NAME_MAX + 2];
	unsigned long wrong = 0;

	OK_STATUS(tg_note_key_parse(tg_bytes_str(VKEY), &k, NULL), TG_OK);
	memcpy(pk, k->pk, 32);
	tg_note_key_free(k);
	k = NULL;
	for (size_t i = 0; i < TG_LEN(good); i++, k = NULL) {
		wrong += tg_note_key_new(
			     good[i], TG_NOTE_ED25519, (tg_bytes){ pk, 32 }, &k, NULL) != TG_OK;
		tg_note_key_free(k);
	}
	for (size_t i = 0; i < TG_LEN(bad); i++)
		wrong += tg_note_key_new(bad[i], TG_NOTE_ED25519, (tg_bytes){ pk, 32 }, &k, NULL) !=
			TG_E_FORMAT ||
		    k != NULL;
	OK_NONE(wrong, TG_LEN(good) + TG_LEN(bad), "names");
	memset(name, 'n', sizeof(name));
	name[TG_NOTE_NAME_MAX] = '\0';
	OK_STATUS(
	    tg_note_key_new(name, TG_NOTE_COSIG_ED25519, (tg_bytes){ pk, 32 }, &k, NULL), TG_OK);
	tg_note_key_free(k);
	k = NULL;
	name[TG_NOTE_NAME_MAX] = 'n', name[TG_NOTE_NAME_MAX + 1] = '\0';
	OK_STATUS(tg_note_key_new(name, TG_NOTE_COSIG_ED25519, (tg_bytes){ pk, 32 }, &k, NULL),
	    TG_E_FORMAT);
	OK_STATUS(
	    tg_note_key_new("a", TG_NOTE_ED25519, (tg_bytes){ pk, 31 }, &k, NULL), TG_E_FORMAT);
	OK_STATUS(tg_note_key_new("a", TG_NOTE_COSIG_MLDSA44, (tg_bytes){ pk, 32 }, &k, NULL),
	    TG_E_FORMAT);
	OK_STATUS(tg_note_key_new("a", (enum tg_note_type)2, (tg_bytes){ pk, 32 }, &k, NULL),
	    TG_E_UNSUPPORTED);
	memset(pk, 0, 32);
	OK_STATUS(
	    tg_note_key_new("a", TG_NOTE_ED25519, (tg_bytes){ pk, 32 }, &k, NULL), TG_E_FORMAT);
	OK(k == NULL);
}

static void
verifier_keys(void)
{
	static const struct {
		const char *text;
		tg_status want;
	} bad[] = {
		{ "", TG_E_FORMAT },
		{ "example.com/foo", TG_E_FORMAT },
		{ "example.com/foo+530d903a", TG_E_FORMAT },
		{ "example.com/foo+530d903a+", TG_E_FORMAT },
		{ "example.com/foo+530d903a+AQ==", TG_E_FORMAT },
		{ "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		    TG_E_FORMAT },
		{ "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		    TG_E_FORMAT },
		{ "example.com/fo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		    TG_E_FORMAT },
		{ "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", TG_E_FORMAT },
		{ "e x+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", TG_E_FORMAT },
		{ "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2",
		    TG_E_FORMAT },
		{ "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k ",
		    TG_E_FORMAT },
		{ "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2kAAAA",
		    TG_E_FORMAT },
		{ "example.com/foo+530d903a+A+kyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		    TG_E_UNSUPPORTED }, /* type 3 */
		{ "example.com/foo+530d903a+/+kyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		    TG_E_UNSUPPORTED },
	};
	struct tg_note_key *k = NULL;
	unsigned long wrong = 0;

	for (size_t i = 0; i < TG_LEN(bad); i++) {
		const tg_status s = tg_note_key_parse(tg_bytes_str(bad[i].text), &k, &last);

		if (s != bad[i].want || k != NULL)
			printf("# \"%s\": %s, %s\n", bad[i].text, tg_status_name(s), last.text),
			    wrong++;
	}
	OK_NONE(wrong, TG_LEN(bad), "verifier keys");
}

/* ---- what is no note ---- */

static void
no_notes(void)
{
	static const struct {
		const char *text;
		tg_status want;
	} bad[] = {
		{ "", TG_E_FORMAT },
		{ "\n", TG_E_FORMAT },
		{ "\n\n", TG_E_FORMAT },
		{ TEXT, TG_E_FORMAT },
		{ TEXT "\n", TG_E_FORMAT },
		{ LINE, TG_E_FORMAT },
		{ TEXT LINE, TG_E_FORMAT },
		{ TEXT "\n" LINE "\n", TG_E_FORMAT },
		{ TEXT "\n" LINE LINE "more\n", TG_E_FORMAT },
		{ TEXT "\nmore\n" LINE, TG_E_FORMAT },
		{ TEXT "\n\xe2\x80\x94 example.com/foo " SIG, TG_E_FORMAT }, /* no newline */
		{ TEXT "\n- example.com/foo " SIG "\n", TG_E_FORMAT },
		{ TEXT "\n\xe2\x80\x94"
		       "example.com/foo " SIG "\n",
		    TG_E_FORMAT },
		{ TEXT "\n\xe2\x80\x94  " SIG "\n", TG_E_FORMAT },
		{ TEXT "\n\xe2\x80\x94 example.com/foo\n", TG_E_FORMAT },
		{ TEXT "\n\xe2\x80\x94 example.com/foo \n", TG_E_FORMAT },
		{ TEXT "\n\xe2\x80\x94 example.com/foo  " SIG "\n", TG_E_FORMAT },
		{ TEXT "\n\xe2\x80\x94 example.com/foo " SIG " \n", TG_E_FORMAT },
		{ TEXT "\n\xe2\x80\x94 example+com/foo " SIG "\n", TG_E_FORMAT },
		{ TEXT "\n\xe2\x80\x94 a\xc2\xa0"
		       "b " SIG "\n",
		    TG_E_FORMAT },
		{ TEXT "\n\xe2\x80\x94 example.com/foo Uw2QOg==\n", TG_E_FORMAT }, /* an id alone */
		{ TEXT "\n\xe2\x80\x94 example.com/foo Uw2Q\n", TG_E_FORMAT },
		{ TEXT "\n\xe2\x80\x94 example.com/foo Uw2QOkk\n", TG_E_FORMAT },
		{ TEXT "\n\xe2\x80\x94 example.com/foo Uw2QOkm=\n", TG_E_FORMAT },
		{ "a\rb\n\n" LINE, TG_E_FORMAT },
		{ "a\tb\n\n" LINE, TG_E_FORMAT },
		{ "a\x1f\n\n" LINE, TG_E_FORMAT },
		{ "a\xff\n\n" LINE, TG_E_FORMAT },
		{ "a\xc3\n\n" LINE, TG_E_FORMAT },
	};
	struct tg_note n = { .n = 99 };
	unsigned long wrong = 0;

	for (size_t i = 0; i < TG_LEN(bad); i++) {
		const tg_status s = parse(bad[i].text, &n);

		if (s != bad[i].want || n.n != 99 || last.text[0] == '\0')
			printf("# %zu: %s, \"%s\"\n", i, tg_status_name(s), last.text), wrong++;
	}
	OK_NONE(wrong, TG_LEN(bad), "texts");
	OK_STATUS(
	    tg_note_parse((tg_bytes){ (const uint8_t *)"a\0\n\n" LINE, sizeof("a0\n\n" LINE) - 1 },
		"note", &n, NULL),
	    TG_E_FORMAT);
}

static void
odd_notes(void)
{
	struct tg_note n;

	/* five bytes are a signature; the last empty line splits; an empty text is one line */
	OK_STATUS(parse("\n\n\xe2\x80\x94 x Uw2QOkk=\n", &n), TG_OK);
	OK(n.text.n == 1 && n.line[0].sig.n == 1 && n.line[0].sig.p[0] == 0x49);
	tg_note_done(&n);
	OK_STATUS(parse(NOTE "\n" LINE LINE, &n), TG_OK);
	OK(tg_bytes_equal(n.text, tg_bytes_str(NOTE)) && n.n == 2);
	tg_note_done(&n);
	/* U+007F is no control character of signed-note's */
	OK_STATUS(parse("a\x7f\n\n" LINE, &n), TG_OK);
	tg_note_done(&n);
	tg_note_done(&n);
}

static void
limits(void)
{
	struct tg_buf b = { .max = 2 * TG_MAX_NOTE };
	struct tg_note n = { .n = 99 };
	uint8_t *fill = NULL;

	OK_STATUS(tg_buf_put_str(&b, TEXT "\n"), TG_OK);
	for (unsigned i = 0; i < TG_MAX_NOTE_LINES; i++)
		if (tg_buf_put_str(&b, LINE) != TG_OK)
			abort();
	OK_STATUS(tg_note_parse(tg_buf_view(&b), "note", &n, NULL), TG_OK);
	OK(n.n == TG_MAX_NOTE_LINES && n.line[31].sig.n == 64 &&
	    memcmp(n.line[0].sig.p, n.line[31].sig.p, 64) == 0);
	tg_note_done(&n);
	OK_STATUS(tg_buf_put_str(&b, LINE), TG_OK);
	OK_STATUS(tg_note_parse(tg_buf_view(&b), "note", &n, NULL), TG_E_LIMIT);
	b.n = 0;
	OK_STATUS(tg_buf_grow(&b, TG_MAX_NOTE - strlen("\n\n" LINE), &fill), TG_OK);
	memset(fill, 'x', b.n);
	OK_STATUS(tg_buf_put_str(&b, "\n\n" LINE), TG_OK);
	OK_STATUS(tg_note_parse(tg_buf_view(&b), "note", &n, NULL), TG_OK);
	tg_note_done(&n);
	b.n = 0;
	OK_STATUS(tg_buf_grow(&b, TG_MAX_NOTE + 1 - strlen("\n\n" LINE), &fill), TG_OK);
	memset(fill, 'x', b.n);
	OK_STATUS(tg_buf_put_str(&b, "\n\n" LINE), TG_OK);
	OK_STATUS(tg_note_parse(tg_buf_view(&b), "note", &n, NULL), TG_E_LIMIT);
	tg_buf_done(&b);
}

/* No prefix of a note is one, and no byte of it may be any other without showing. */
static void
every_byte_counts(void)
{
	static const char note[] = NOTE;
	unsigned long wrong = 0, count = 0;
	struct tg_note_key *k = NULL;

	OK_STATUS(tg_note_key_parse(tg_bytes_str(VKEY), &k, NULL), TG_OK);
	for (size_t i = 0; i < strlen(note); i++, count++) {
		struct tg_note n;
		char copy[sizeof(note)];

		if (tg_note_parse((tg_bytes){ (const uint8_t *)note, i }, "note", &n, NULL) ==
		    TG_OK)
			wrong++;
		for (int bit = 0; bit < 8; bit++, count++) {
			memcpy(copy, note, sizeof(note));
			copy[i] ^= (char)(1 << bit);
			if (tg_note_parse((tg_bytes){ (const uint8_t *)copy, sizeof(note) - 1 },
				"note", &n, NULL) != TG_OK)
				continue;
			wrong += n.n == 1 &&
			    tg_bytes_equal(n.line[0].name, tg_bytes_str(k->name)) &&
			    memcmp(n.line[0].id, k->id, 4) == 0 && n.line[0].sig.n == 64 &&
			    tg_sig_ed25519.verify(k->key, n.text, (tg_bytes){ NULL, 0 },
				n.line[0].sig.p, NULL) == TG_OK;
			tg_note_done(&n);
		}
	}
	OK_NONE(wrong, count, "changes");
	tg_note_key_free(k);
}

int
main(void)
{
	the_example_verifies();
	the_poem_parses();
	names_of_keys();
	verifier_keys();
	no_notes();
	odd_notes();
	limits();
	every_byte_counts();
	return tap_done();
}
