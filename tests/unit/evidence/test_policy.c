/* Policy files, and what they ask of a checkpoint. */
#include "../../tap.h"
#include "parties.h"

#include <tensorguard/limits.h>

/* ---- texts ---- */

static void
good_texts(void)
{
	static const char *const texts[] = {
		"quorum none\n",
		"  quorum\tnone \t\n",
		"# a comment\n\n \t \n\t# another\nquorum none\n",
		"log $L0\nquorum none\n",
		"log $L0\nlog $L1 https://log.example/x\nquorum none\n",
		"log $L0\nlog $D0\nlog $L1\nlog $D1\nquorum none\n",
		"witness w $A0\nquorum w\n",
		"witness w $A0 https://w.example/\nquorum w\nlog $L1\nwitness v $A1\n",
		"witness a $A0\nwitness b $A1\ngroup g any a b\nquorum g\n",
		"witness a $A0\nwitness b $A1\ngroup g all a b\nquorum g\n",
		"witness a $A0\nwitness b $A1\ngroup g 2 a b\nquorum g\n",
		"witness any $A0\nwitness all $A1\ngroup 2 2 any all\nquorum 2\n",
		"witness a $A0\ngroup g all a\ngroup h any g\ngroup i 1 h\nquorum i\n",
		"witness \xff\xe2 $A0\nquorum \xff\xe2\n",
		"witness a $A0\nquorum none\n",
		"witness None $A0\nquorum None\n",
		"witness a $A0\ngroup g any a\nquorum a\n",
	};
	unsigned long wrong = 0;

	for (size_t i = 0; i < TG_LEN(texts); i++) {
		char *text = with_keys(texts[i]);
		struct tg_log_policy *p = NULL;
		struct tg_error err = TG_ERROR_INIT;

		if (tg_log_policy_parse(tg_bytes_str(text), "policy", &p, &err) != TG_OK)
			printf("# %s: %s\n", texts[i], err.text), wrong++;
		tg_log_policy_free(p);
		free(text);
	}
	OK_NONE(wrong, TG_LEN(texts), "texts");
	tg_log_policy_free(NULL);
}

static void
bad_texts(void)
{
	static const struct {
		const char *text, *why;
		tg_status want;
	} bad[] = {
		{ "", "no quorum", TG_E_FORMAT },
		{ "log $L0\n", "no quorum", TG_E_FORMAT },
		{ "quorum none", "does not end", TG_E_FORMAT },
		{ "quorum none\nlog $L0", "does not end", TG_E_FORMAT },
		{ "quorum none\nquorum none\n", "policy:2: a second quorum", TG_E_FORMAT },
		{ "quorum\n", "one name", TG_E_FORMAT },
		{ "quorum none none\n", "one name", TG_E_FORMAT },
		{ "quorum w\n", "\"w\" is no witness", TG_E_FORMAT },
		{ "quorum w\nwitness w $A0\n", "policy:1:", TG_E_FORMAT },
		{ "quorum none\r\n", "control character", TG_E_FORMAT },
		{ "# \x7f\nquorum none\n", "control character", TG_E_FORMAT },
		{ "# \x01\nquorum none\n", "control character", TG_E_FORMAT },
		{ "Log $L0\nquorum none\n", "\"Log\"", TG_E_FORMAT },
		{ "logs $L0\nquorum none\n", "log, witness, group or quorum", TG_E_FORMAT },
		{ "log\nquorum none\n", "a verifier key expected", TG_E_FORMAT },
		{ "log x\nquorum none\n", "NAME+ID+BASE64", TG_E_FORMAT },
		{ "log $L0 url more\nquorum none\n", "\"more\" behind the URL", TG_E_FORMAT },
		{ "log $A0\nquorum none\n", "type 0x04", TG_E_UNSUPPORTED },
		{ "witness w $L0\nquorum none\n", "type 0x01", TG_E_UNSUPPORTED },
		{ "log $L0\nlog $L0\nquorum none\n", "policy:2:", TG_E_FORMAT },
		{ "log $L1\nwitness w $L1\nquorum none\n", "a second time", TG_E_FORMAT },
		{ "witness v $A0\nwitness w $A0\nquorum none\n", "a second time", TG_E_FORMAT },
		{ "witness w $A0\nlog $L0\nwitness w $A1\nquorum none\n",
		    "policy:3: the name \"w\"", TG_E_FORMAT },
		{ "witness w $A0\ngroup w any w\nquorum none\n", "taken", TG_E_FORMAT },
		{ "witness none $A0\nquorum none\n", "taken", TG_E_FORMAT },
		{ "witness w $A0\ngroup none any w\nquorum none\n", "taken", TG_E_FORMAT },
		{ "witness\nquorum none\n", "a name expected", TG_E_FORMAT },
		{ "witness w\nquorum none\n", "a verifier key expected", TG_E_FORMAT },
		{ "witness w $A0 url more\nquorum none\n", "behind the URL", TG_E_FORMAT },
		{ "group g\nquorum none\n", "any, all or a number", TG_E_FORMAT },
		{ "group g any\nquorum none\n", "without members", TG_E_FORMAT },
		{ "group g 0\nquorum none\n", "without members", TG_E_FORMAT },
		{ "group g any w\nquorum none\n", "\"w\" is no witness", TG_E_FORMAT },
		{ "group g any g\nquorum none\n", "\"g\" is no witness", TG_E_FORMAT },
		{ "group g any none\nquorum none\n", "\"none\" is no witness", TG_E_FORMAT },
		{ "witness w $A0\ngroup g 0 w\nquorum g\n", "1 ... 1", TG_E_FORMAT },
		{ "witness w $A0\ngroup g 2 w\nquorum g\n", "1 ... 1", TG_E_FORMAT },
		{ "witness w $A0\ngroup g 01 w\nquorum g\n", "number", TG_E_FORMAT },
		{ "witness w $A0\ngroup g -1 w\nquorum g\n", "number", TG_E_FORMAT },
		{ "witness w $A0\ngroup g 99999999999999999999 w\nquorum g\n", "number",
		    TG_E_FORMAT },
		{ "witness w $A0\ngroup g w\nquorum g\n", "number", TG_E_FORMAT },
		{ "witness w $A0\ngroup g any w w\nquorum g\n", "member of a group already",
		    TG_E_FORMAT },
		{ "witness w $A0\ngroup g any w\ngroup h any w\nquorum h\n",
		    "policy:3: \"w\" is the member", TG_E_FORMAT },
		{ "witness w $A0\ngroup h any g\ngroup g any w\nquorum h\n",
		    "policy:2:", TG_E_FORMAT },
	};
	unsigned long wrong = 0;

	for (size_t i = 0; i < TG_LEN(bad); i++) {
		char *text = with_keys(bad[i].text);
		struct tg_log_policy *p = NULL;
		struct tg_error err = TG_ERROR_INIT;
		const tg_status s = tg_log_policy_parse(tg_bytes_str(text), "policy", &p, &err);

		if (s != bad[i].want || p != NULL || strstr(err.text, bad[i].why) == NULL)
			printf("# %s: %s, %s\n", bad[i].text, tg_status_name(s), err.text), wrong++;
		free(text);
	}
	OK_NONE(wrong, TG_LEN(bad), "texts");
	struct tg_log_policy *p = NULL;
	OK_STATUS(tg_log_policy_parse(
		      (tg_bytes){ (const uint8_t *)"#\0\nquorum none\n", 15 }, "p", &p, NULL),
	    TG_E_FORMAT);
}

/* One policy file of many lines. */
static tg_status
many(unsigned groups, struct tg_error *err)
{
	struct tg_buf b = { .max = 4 << 20 };
	struct tg_log_policy *p = NULL;
	char *first = with_keys("witness g0 $A0\n"), line[128];

	must(tg_buf_put_str(&b, first));
	for (unsigned i = 1; i <= groups; i++) {
		(void)snprintf(line, sizeof(line), "group g%u any g%u\n", i, i - 1);
		must(tg_buf_put_str(&b, line));
	}
	(void)snprintf(line, sizeof(line), "quorum g%u\n", groups);
	must(tg_buf_put_str(&b, line));
	const tg_status s = tg_log_policy_parse(tg_buf_view(&b), "policy", &p, err);
	tg_log_policy_free(p);
	tg_buf_done(&b);
	free(first);
	return s;
}

static void
limits(void)
{
	struct tg_buf b = { .max = 4 << 20 };
	struct tg_log_policy *p = NULL;
	uint8_t *fill = NULL;

	/* a chain of groups is no deeper to walk than a flat one */
	OK_STATUS(many(2 * TG_MAX_LOG_POLICY_KEYS - 1, NULL), TG_OK);
	OK_STATUS(many(2 * TG_MAX_LOG_POLICY_KEYS, NULL), TG_E_LIMIT);
	must(tg_buf_grow(&b, TG_MAX_LOG_POLICY - 12, &fill));
	memset(fill, '\n', b.n);
	must(tg_buf_put_str(&b, "quorum none\n"));
	OK_STATUS(tg_log_policy_parse(tg_buf_view(&b), "policy", &p, NULL), TG_OK);
	tg_log_policy_free(p);
	must(tg_buf_put_str(&b, "\n"));
	p = NULL;
	OK_STATUS(tg_log_policy_parse(tg_buf_view(&b), "policy", &p, NULL), TG_E_LIMIT);
	OK(p == NULL);
	tg_buf_done(&b);
}

static void
what_is_in_it(void)
{
	struct tg_log_policy *p =
	    policy("log $L0 https://log.example/\nwitness x $A0 https://w.example/\n"
		   "witness y $A1\nlog $L1\ngroup g all x y\nquorum g\n");

	OK(tg_log_policy_logs(p) == 2 && tg_log_policy_witnesses(p) == 2);
	OK(tg_log_policy_log(p, 0)->type == TG_NOTE_ED25519);
	OK(tg_log_policy_log(p, 1)->type == TG_NOTE_COSIG_MLDSA44);
	OK(strcmp(tg_log_policy_log(p, 1)->name, ORIGIN) == 0);
	const struct tg_log_policy_witness x = tg_log_policy_witness(p, 0),
					   y = tg_log_policy_witness(p, 1);
	OK(strcmp(x.name, "x") == 0 && strcmp(x.key->name, "wa") == 0);
	OK(strcmp(x.url, "https://w.example/") == 0 && y.url == NULL);
	OK(x.key->type == TG_NOTE_COSIG_ED25519 && y.key->type == TG_NOTE_COSIG_MLDSA44);
	tg_log_policy_free(p);
}

/* ---- checkpoints ---- */

#define BOTH "log $L0\nlog $L1\n"

/* A note of `c` with the lines that `who` names: L0 L1 A0 ... as in with_keys(), a '!' before a
 * line that is damaged. */
static struct tg_buf
note_of(const struct tg_checkpoint *c, const char *who)
{
	static const char letters[] = "LABC";
	static const char *const names[] = { ORIGIN, "wa", "wb", "wc" };
	struct tg_buf ret = { .max = TG_MAX_NOTE };

	must(tg_checkpoint_put(c, &ret));
	must(tg_buf_put_str(&ret, "\n"));
	for (; *who != '\0'; who += 2) {
		const bool damaged = *who == '!';
		struct tg_buf made = { .max = TG_MAX_NOTE };
		struct tg_note n;
		uint8_t sig[8 + TG_MLDSA44_SIG_LEN];

		who += damaged;
		const size_t i = (size_t)(strchr(letters, *who) - letters);
		struct tg_key *k = party((uint8_t)(i + 1));
		if (i == 0) {
			must(tg_checkpoint_sign(c, k, NOW, &made, NULL));
		} else {
			must(tg_buf_put_str(&made, "x\n\n"));
			must(tg_checkpoint_cosign(c, names[i], k, NOW, &made, NULL));
		}
		must(tg_note_parse(tg_buf_view(&made), "note", &n, NULL));
		const struct tg_note_line *line = &n.line[who[1] - '0'];
		memcpy(sig, line->sig.p, line->sig.n);
		sig[20] ^= damaged;
		must(tg_note_put_line(&ret, names[i], line->id, (tg_bytes){ sig, line->sig.n }));
		tg_note_done(&n);
		tg_buf_done(&made);
		tg_key_free(k);
	}
	return ret;
}

static void
who_must_have_signed(void)
{
#define TWO "witness a $A0\nwitness b $B0\nwitness c $C0\ngroup g 2 a b c\nquorum g\n"
#define PAIRS                                                                                 \
	"witness a0 $A0\nwitness a1 $A1\ngroup a all a0 a1\nwitness b0 $B0\nwitness b1 $B1\n" \
	"group b all b0 b1\ngroup g any a b\nquorum g\n"
	static const struct {
		const char *policy, *who;
		tg_status want;
	} cases[] = {
		/* the log: every type of key that is known */
		{ BOTH "quorum none\n", "L0L1", TG_OK },
		{ BOTH "quorum none\n", "L1L0", TG_OK },
		{ BOTH "quorum none\n", "L0L1L0L1", TG_OK },
		{ BOTH "quorum none\n", "L0", TG_E_AUTH },
		{ BOTH "quorum none\n", "L1", TG_E_AUTH },
		{ BOTH "quorum none\n", "A0A1", TG_E_AUTH },
		{ BOTH "quorum none\n", "!L0L1", TG_E_AUTH },
		{ BOTH "quorum none\n", "L0!L1", TG_E_AUTH },
		{ BOTH "quorum none\n", "L0L1!L0", TG_E_AUTH },
		{ BOTH "quorum none\n", "L0!L0L1", TG_E_AUTH },
		{ BOTH "quorum none\n", "L0L1!A0", TG_OK }, /* nobody the policy knows */
		{ "log $L0\nquorum none\n", "L0", TG_OK },
		{ "log $L0\nquorum none\n", "L0!L1", TG_OK },
		{ "log $L1\nquorum none\n", "L1", TG_OK },
		{ "log $L1\nquorum none\n", "L0", TG_E_AUTH },
		{ "log $D0\nlog $D1\nquorum none\n", "L0L1", TG_E_NOTFOUND },
		{ "quorum none\n", "L0L1", TG_E_NOTFOUND },
		{ "log $D0\nlog $D1\n" BOTH "quorum none\n", "L0L1", TG_OK },
		{ "log $D0\nlog $L0\nlog $D1\nquorum none\n", "L0", TG_OK },
		/* witnesses */
		{ BOTH "witness a $A0\nquorum a\n", "L0L1A0", TG_OK },
		{ BOTH "witness a $A0\nquorum a\n", "L0L1A0A1B0", TG_OK },
		{ BOTH "witness a $A0\nquorum a\n", "L0L1A1", TG_E_AUTH },
		{ BOTH "witness a $A0\nquorum a\n", "L0L1", TG_E_AUTH },
		{ BOTH "witness a $A0\nquorum a\n", "A0", TG_E_AUTH },
		{ BOTH "witness a $A1\nquorum a\n", "L0L1A1", TG_OK },
		{ BOTH "witness a $A0\nquorum none\n", "L0L1!A0",
		    TG_E_AUTH }, /* a known one fails */
		{ BOTH TWO, "L0L1A0B0", TG_OK },
		{ BOTH TWO, "L0L1C0B0A0", TG_OK },
		{ BOTH TWO, "L0L1A0", TG_E_AUTH },
		{ BOTH TWO, "L0L1A0A0A0", TG_E_AUTH }, /* one witness counts once */
		{ BOTH TWO, "L0L1A0A1", TG_E_AUTH },
		{ BOTH TWO, "L0L1A0B0!C0", TG_E_AUTH },
		{ BOTH PAIRS, "L0L1A0A1", TG_OK },
		{ BOTH PAIRS, "L0L1B1B0", TG_OK },
		{ BOTH PAIRS, "L0L1A0B1", TG_E_AUTH },
		{ BOTH PAIRS, "L0L1A0A1B0", TG_OK },
		/* a quorum may be less than the groups that are there */
		{ BOTH "witness a $A0\nwitness b $B0\ngroup g all a b\nquorum b\n", "L0L1B0",
		    TG_OK },
		{ BOTH "witness a $A0\nwitness b $B0\ngroup g all a b\nquorum g\n", "L0L1B0",
		    TG_E_AUTH },
	};
	const struct tg_checkpoint c = checkpoint(3, 9);
	unsigned long wrong = 0;

	for (size_t i = 0; i < TG_LEN(cases); i++) {
		struct tg_log_policy *p = policy(cases[i].policy);
		struct tg_buf note = note_of(&c, cases[i].who);
		struct tg_checkpoint got = { .size = 99 };
		struct tg_error err = TG_ERROR_INIT;
		const tg_status s =
		    tg_log_policy_check(p, tg_buf_view(&note), "note", true, &got, &err);

		if (s != cases[i].want || got.size != (s == TG_OK ? 3 : 99) ||
		    (s == TG_OK && strcmp(got.origin, ORIGIN) != 0))
			printf("# %s | %s: %s %s\n", cases[i].policy, cases[i].who,
			    tg_status_name(s), err.text),
			    wrong++;
		tg_buf_done(&note);
		tg_log_policy_free(p);
	}
	OK_NONE(wrong, TG_LEN(cases), "checkpoints");
}

static void
without_the_quorum(void)
{
	struct tg_log_policy *p = policy(BOTH "witness a $A0\nquorum a\n");
	const struct tg_checkpoint c = checkpoint(3, 9);
	struct tg_buf alone = note_of(&c, "L0L1"), bad = note_of(&c, "L0L1!A0"),
		      half = note_of(&c, "L0");
	struct tg_checkpoint got;

	OK_STATUS(tg_log_policy_check(p, tg_buf_view(&alone), "n", false, &got, NULL), TG_OK);
	OK_STATUS(tg_log_policy_check(p, tg_buf_view(&alone), "n", true, &got, NULL), TG_E_AUTH);
	OK_STATUS(tg_log_policy_check(p, tg_buf_view(&bad), "n", false, &got, NULL), TG_OK);
	OK_STATUS(tg_log_policy_check(p, tg_buf_view(&half), "n", false, &got, NULL), TG_E_AUTH);
	OK_STATUS(tg_log_policy_check(p, tg_bytes_str("x\n"), "n", false, &got, NULL), TG_E_FORMAT);
	tg_buf_done(&alone), tg_buf_done(&bad), tg_buf_done(&half);
	tg_log_policy_free(p);
}

/* A signature of another checkpoint under this one. */
static void
signatures_do_not_move(void)
{
	struct tg_log_policy *p =
	    policy(BOTH "witness a $A0\nwitness b $A1\ngroup g all a b\nquorum g\n");
	const struct tg_checkpoint c = checkpoint(3, 9), d = checkpoint(4, 9);
	struct tg_buf good = note_of(&c, "L0L1A0A1"), moved = { .max = TG_MAX_NOTE };
	struct tg_checkpoint got;

	must(tg_checkpoint_put(&d, &moved));
	tg_bytes rest = tg_buf_view(&good), line;
	for (int i = 0; i < 3; i++)
		(void)tg_line_take(&rest, &line);
	must(tg_buf_put(&moved, rest.p, rest.n));
	OK_STATUS(tg_log_policy_check(p, tg_buf_view(&good), "n", true, &got, NULL), TG_OK);
	OK_STATUS(tg_log_policy_check(p, tg_buf_view(&moved), "n", true, &got, NULL), TG_E_AUTH);
	OK_STATUS(tg_log_policy_check(p, tg_buf_view(&moved), "n", false, &got, NULL), TG_E_AUTH);
	tg_buf_done(&good), tg_buf_done(&moved);
	tg_log_policy_free(p);
}

int
main(void)
{
	good_texts();
	bad_texts();
	limits();
	what_is_in_it();
	who_must_have_signed();
	without_the_quorum();
	signatures_do_not_move();
	return tap_done();
}
