/* Checkpoints and cosignatures: C2SP's examples parse; what is signed is what the documents say. */
#include "../../tap.h"
#include "parties.h"

#define EXAMPLE_TEXT \
	"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#define EXAMPLE_NOTE                                                 \
	EXAMPLE_TEXT                                                 \
	"\n\xe2\x80\x94 example.com/behind-the-sofa "                \
	"Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4U"         \
	"RYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"               \
	"\xe2\x80\x94 witness.example.com/w1 "                       \
	"jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9" \
	"dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"

static const tg_bytes none = { NULL, 0 };

static void
the_examples_parse(void)
{
	struct tg_note n;
	struct tg_checkpoint c;
	struct tg_buf b = { .max = 4096 };

	OK_STATUS(tg_note_parse(tg_bytes_str(EXAMPLE_NOTE), "note", &n, NULL), TG_OK);
	OK(n.n == 2 && n.line[0].sig.n == 64 && n.line[1].sig.n == 72);
	OK(tg_get_u64be(n.line[1].sig.p) == 1679315147);
	OK_STATUS(tg_checkpoint_parse(n.text, "checkpoint", &c, NULL), TG_OK);
	OK(strcmp(c.origin, "example.com/behind-the-sofa") == 0 && c.size == 20852163);
	OK(c.root[0] == 0x0a && c.root[31] == 0x62);
	OK_STATUS(tg_checkpoint_put(&c, &b), TG_OK);
	OK(tg_bytes_equal(tg_buf_view(&b), tg_bytes_str(EXAMPLE_TEXT)));
	tg_buf_done(&b);
	tg_note_done(&n);
}

static void
texts(void)
{
#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
	static const struct {
		const char *text;
		tg_status want;
	} cases[] = {
		{ "o\n0\n" ROOT "\n", TG_OK },
		{ "o o+o\n1\n" ROOT "\n", TG_OK }, /* an origin should not, but may */
		{ "o\n18446744073709551615\n" ROOT "\n", TG_OK },
		{ "", TG_E_FORMAT },
		{ "o\n", TG_E_FORMAT },
		{ "o\n1\n", TG_E_FORMAT },
		{ "o\n1\n" ROOT, TG_E_FORMAT },
		{ "\n1\n" ROOT "\n", TG_E_FORMAT },
		{ "o\n\n" ROOT "\n", TG_E_FORMAT },
		{ "o\n01\n" ROOT "\n", TG_E_FORMAT },
		{ "o\n-1\n" ROOT "\n", TG_E_FORMAT },
		{ "o\n1 \n" ROOT "\n", TG_E_FORMAT },
		{ "o\n1.0\n" ROOT "\n", TG_E_FORMAT },
		{ "o\n18446744073709551616\n" ROOT "\n", TG_E_FORMAT },
		{ "o\n1\n\n", TG_E_FORMAT },
		{ "o\n1\nAAAA\n", TG_E_FORMAT },
		{ "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n", TG_E_FORMAT },
		{ "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n", TG_E_FORMAT },
		{ "o\n1\n" ROOT "\n\n", TG_E_FORMAT },
		{ "o\n1\n" ROOT "\nmore\n", TG_E_UNSUPPORTED },
		{ "o\n1\n" ROOT "\nmore", TG_E_UNSUPPORTED },
		{ "o\r\n1\n" ROOT "\n", TG_E_FORMAT },
		{ "\xff\n1\n" ROOT "\n", TG_E_FORMAT },
	};
	unsigned long wrong = 0;
	char long_origin[512];

	for (size_t i = 0; i < TG_LEN(cases); i++) {
		struct tg_checkpoint c = { .size = 99 };
		struct tg_error err = TG_ERROR_INIT;
		const tg_status s = tg_checkpoint_parse(tg_bytes_str(cases[i].text), "c", &c, &err);

		if (s != cases[i].want || (s != TG_OK && c.size != 99))
			printf("# %zu: %s, %s\n", i, tg_status_name(s), err.text), wrong++;
	}
	OK_NONE(wrong, TG_LEN(cases), "texts");
	struct tg_checkpoint c;
	(void)snprintf(long_origin, sizeof(long_origin), "%0255d\n1\n" ROOT "\n", 1);
	OK_STATUS(tg_checkpoint_parse(tg_bytes_str(long_origin), "c", &c, NULL), TG_OK);
	OK(strlen(c.origin) == 255);
	(void)snprintf(long_origin, sizeof(long_origin), "%0256d\n1\n" ROOT "\n", 1);
	OK_STATUS(tg_checkpoint_parse(tg_bytes_str(long_origin), "c", &c, NULL), TG_E_LIMIT);
}

/* The messages, put together here by hand. */
static void
what_is_signed(void)
{
	struct tg_key *log = party(1), *witness = party(2);
	const struct tg_checkpoint c = checkpoint(0x0102030405060708, 0xab);
	struct tg_buf note = { .max = 1 << 16 }, lines = { .max = 1 << 16 }, msg = { .max = 4096 };
	struct tg_note n, w;
	static const char old[] = "cosignature/v1\ntime 1767225600\n" ORIGIN "\n72623859790382856\n"
				  "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=\n";

	OK_STATUS(tg_checkpoint_sign(&c, log, NOW, &note, NULL), TG_OK);
	OK_STATUS(tg_checkpoint_cosign(&c, "wa", witness, NOW, &lines, NULL), TG_OK);
	OK_STATUS(tg_note_parse(tg_buf_view(&note), "note", &n, NULL), TG_OK);
	OK(n.n == 2 && n.line[0].sig.n == 64 && n.line[1].sig.n == 8 + 2420);
	OK(tg_bytes_equal(n.line[0].name, tg_bytes_str(ORIGIN)));
	OK_STATUS(
	    tg_sig_ed25519.verify(log->public[TG_CLASSIC], n.text, none, n.line[0].sig.p, NULL),
	    TG_OK);
	OK(tg_get_u64be(n.line[1].sig.p) == NOW);
	must(tg_buf_put(&msg, "subtree/v1\n\0\x0f" ORIGIN, 13 + strlen(ORIGIN)));
	must(tg_buf_put_u64be(&msg, NOW));
	must(tg_buf_put_u8(&msg, (uint8_t)strlen(ORIGIN)));
	must(tg_buf_put_str(&msg, ORIGIN));
	must(tg_buf_put_u64be(&msg, 0));
	must(tg_buf_put_u64be(&msg, 0x0102030405060708));
	must(tg_buf_put(&msg, c.root, 32));
	OK_STATUS(tg_sig_mldsa44.verify(
		      log->public[TG_PQC], tg_buf_view(&msg), none, n.line[1].sig.p + 8, NULL),
	    TG_OK);
	/* the witness's lines go behind the log's */
	must(tg_buf_put(&note, lines.p, lines.n));
	OK_STATUS(tg_note_parse(tg_buf_view(&note), "note", &w, NULL), TG_OK);
	OK(w.n == 4 && w.line[2].sig.n == 72 && w.line[3].sig.n == 2428);
	OK(tg_get_u64be(w.line[2].sig.p) == NOW);
	OK_STATUS(tg_sig_ed25519.verify(witness->public[TG_CLASSIC], tg_bytes_str(old), none,
		      w.line[2].sig.p + 8, NULL),
	    TG_OK);
	msg.n = 0;
	must(tg_buf_put(&msg, "subtree/v1\n\0\x02wa", 15));
	must(tg_buf_put_u64be(&msg, NOW));
	must(tg_buf_put_u8(&msg, (uint8_t)strlen(ORIGIN)));
	must(tg_buf_put_str(&msg, ORIGIN));
	must(tg_buf_put_u64be(&msg, 0));
	must(tg_buf_put_u64be(&msg, 0x0102030405060708));
	must(tg_buf_put(&msg, c.root, 32));
	OK_STATUS(tg_sig_mldsa44.verify(
		      witness->public[TG_PQC], tg_buf_view(&msg), none, w.line[3].sig.p + 8, NULL),
	    TG_OK);
	tg_buf_done(&msg), tg_buf_done(&note), tg_buf_done(&lines);
	tg_note_done(&n), tg_note_done(&w);
	tg_key_free(log), tg_key_free(witness);
}

/* Each line under each key, and each of its bits. */
static void
lines_verify_under_their_keys(void)
{
	struct tg_key *log = party(1), *witness = party(2), *other = party(3);
	const struct tg_checkpoint c = checkpoint(7, 1);
	struct tg_checkpoint bigger = checkpoint(8, 1), forked = checkpoint(7, 2), renamed = c;
	struct tg_buf note = { .max = 1 << 16 };
	struct tg_note n;
	struct tg_note_key *keys[6] = { NULL };
	unsigned long wrong = 0, count = 0;

	(void)snprintf(renamed.origin, sizeof(renamed.origin), "example.com/loh");
	must(tg_checkpoint_sign(&c, log, NOW, &note, NULL));
	must(tg_checkpoint_cosign(&c, "wa", witness, NOW + 1, &note, NULL));
	must(tg_note_parse(tg_buf_view(&note), "note", &n, NULL));
	OK_STATUS(tg_checkpoint_vkeys(log, ORIGIN, false, keys, NULL), TG_OK);
	OK_STATUS(tg_checkpoint_vkeys(witness, "wa", true, keys + 2, NULL), TG_OK);
	OK_STATUS(tg_checkpoint_vkeys(other, "wa", true, keys + 4, NULL), TG_OK);
	OK(keys[0]->type == TG_NOTE_ED25519 && keys[1]->type == TG_NOTE_COSIG_MLDSA44);
	OK(keys[2]->type == TG_NOTE_COSIG_ED25519 && keys[3]->type == TG_NOTE_COSIG_MLDSA44);
	for (size_t i = 0; i < 4; i++) {
		const int64_t times[] = { 0, NOW, NOW + 1, NOW + 1 };

		OK(memcmp(n.line[i].id, keys[i]->id, 4) == 0);
		for (size_t k = 0; k < 6; k++, count++) {
			int64_t time = -1;
			const tg_status s =
			    tg_checkpoint_check_line(&c, n.text, &n.line[i], keys[k], &time, NULL);

			wrong +=
			    s != (k == i ? TG_OK : TG_E_AUTH) || time != (k == i ? times[i] : -1);
		}
		int64_t time = -1;
		struct tg_note_line altered = n.line[i];
		uint8_t copy[TG_MLDSA44_SIG_LEN + 9] = { 0 };

		memcpy(copy, n.line[i].sig.p, n.line[i].sig.n);
		altered.sig = (tg_bytes){ copy, n.line[i].sig.n };
		for (size_t at = 0;
		     at<altered.sig.n; at += altered.sig.n> 100 && at > 16 ? 53 : 1) {
			copy[at] ^= 1;
			wrong += tg_checkpoint_check_line(
				     &c, n.text, &altered, keys[i], &time, NULL) != TG_E_AUTH;
			copy[at] ^= 1;
			count++;
		}
		for (int more = -1; more <= 1; more += 2, count++) {
			altered.sig.n = n.line[i].sig.n + (size_t)more;
			wrong += tg_checkpoint_check_line(
				     &c, n.text, &altered, keys[i], &time, NULL) != TG_E_AUTH;
		}
		/* another text */
		const struct tg_checkpoint *others[] = { &bigger, &forked, &renamed };
		for (size_t k = 0; k < TG_LEN(others); k++, count++) {
			struct tg_buf text = { .max = 4096 };

			must(tg_checkpoint_put(others[k], &text));
			wrong += tg_checkpoint_check_line(others[k], tg_buf_view(&text), &n.line[i],
				     keys[i], &time, NULL) != TG_E_AUTH;
			tg_buf_done(&text);
		}
		OK(time == -1);
	}
	OK_NONE(wrong, count, "lines");
	for (size_t k = 0; k < 6; k++)
		tg_note_key_free(keys[k]);
	tg_note_done(&n);
	tg_buf_done(&note);
	tg_key_free(log), tg_key_free(witness), tg_key_free(other);
}

static void
who_may_not_sign(void)
{
	struct tg_key *log = party(1), *signing = NULL, *public = NULL;
	struct tg_checkpoint c = checkpoint(7, 1), nameless = c, spaced = c;
	struct tg_buf out = { .max = 1 << 16 };
	struct tg_note_key *pair[2] = { NULL, NULL };

	nameless.origin[0] = '\0';
	spaced.origin[2] = ' ';
	must(tg_key_generate(TG_KEY_SIGNING, NOW, &signing, NULL));
	must(tg_key_from_public(TG_KEY_CHECKPOINT, NOW, log->pk[0], log->pk[1], &public, NULL));
	OK_STATUS(tg_checkpoint_sign(&c, signing, NOW, &out, NULL), TG_E_USAGE);
	OK_STATUS(tg_checkpoint_sign(&c, public, NOW, &out, NULL), TG_E_USAGE);
	OK_STATUS(tg_checkpoint_sign(&c, log, 0, &out, NULL), TG_E_USAGE);
	OK_STATUS(tg_checkpoint_sign(&c, log, -1, &out, NULL), TG_E_USAGE);
	OK_STATUS(tg_checkpoint_sign(&nameless, log, NOW, &out, NULL), TG_E_USAGE);
	OK_STATUS(tg_checkpoint_sign(&spaced, log, NOW, &out, NULL), TG_E_FORMAT);
	OK_STATUS(tg_checkpoint_cosign(&c, "w a", log, NOW, &out, NULL), TG_E_FORMAT);
	OK_STATUS(tg_checkpoint_cosign(&c, "", log, NOW, &out, NULL), TG_E_FORMAT);
	OK_STATUS(tg_checkpoint_cosign(&c, "wa", public, NOW, &out, NULL), TG_E_USAGE);
	OK_STATUS(tg_checkpoint_cosign(&c, "wa", log, 0, &out, NULL), TG_E_USAGE);
	OK_STATUS(tg_checkpoint_vkeys(signing, "wa", true, pair, NULL), TG_E_USAGE);
	OK_STATUS(tg_checkpoint_vkeys(log, "w+a", true, pair, NULL), TG_E_FORMAT);
	OK(out.n == 0 && pair[0] == NULL && pair[1] == NULL);
	/* a public key is enough for verifier keys */
	OK_STATUS(tg_checkpoint_vkeys(public, "wa", true, pair, NULL), TG_OK);
	tg_note_key_free(pair[0]), tg_note_key_free(pair[1]);
	tg_key_free(log), tg_key_free(signing), tg_key_free(public);
	tg_buf_done(&out);
}

int
main(void)
{
	the_examples_parse();
	texts();
	what_is_signed();
	lines_verify_under_their_keys();
	who_may_not_sign();
	return tap_done();
}
