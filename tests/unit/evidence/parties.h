/* What tests of checkpoints share: keys of fixed seeds, their verifier keys, policies made of them.
 */
#ifndef TG_TESTS_PARTIES_H
#define TG_TESTS_PARTIES_H

#include "evidence/policy.h"
#include "util/text.h"
#include "util/try.h"

#include <stdio.h>
#include <stdlib.h>

#define ORIGIN "example.com/log"
#define NOW    1767225600

static inline void
must(tg_status s)
{
	if (s != TG_OK) {
		printf("Bail out! %s\n", tg_status_name(s));
		exit(1);
	}
}

/* A checkpoint key whose seeds are all `fill`. */
static inline struct tg_key *
party(uint8_t fill)
{
	struct tg_secret *seeds = NULL;
	struct tg_key *k = NULL;

	must(tg_secret_new(64, &seeds, NULL));
	memset(tg_secret_bytes(seeds), fill, 64);
	must(tg_key_from_seeds(TG_KEY_CHECKPOINT, NOW, seeds, &k, NULL));
	return k;
}

/* The verifier key of one half, as text that the caller frees: [0] classic, [1] post-quantum. */
static inline char *
vkey(const struct tg_key *k, const char *name, bool witness, int half)
{
	struct tg_note_key *pair[2] = { NULL, NULL };
	struct tg_buf b = { .max = 1 << 16 };
	char *ret;

	must(tg_checkpoint_vkeys(k, name, witness, pair, NULL));
	must(tg_note_key_print(pair[half], &b));
	ret = tg_bytes_text(tg_buf_view(&b));
	tg_note_key_free(pair[0]);
	tg_note_key_free(pair[1]);
	tg_buf_done(&b);
	if (ret == NULL)
		abort();
	return ret;
}

/* `text` where L0 L1 stand for the log's keys, A0 A1 B0 B1 C0 C1 for those of witnesses with the
 * names wa, wb and wc, D0 D1 for those of another log, each behind a '$'. The caller frees it. */
static inline char *
with_keys(const char *text)
{
	static const struct {
		char letter;
		uint8_t fill;
		const char *name;
		bool witness;
	} parties[] = {
		{ 'L', 1, ORIGIN, false },
		{ 'A', 2, "wa", true },
		{ 'B', 3, "wb", true },
		{ 'C', 4, "wc", true },
		{ 'D', 5, "example.org/other", false },
	};
	struct tg_buf b = { .max = 1 << 20 };
	char *ret;

	for (; *text != '\0'; text++) {
		size_t i = 0;

		while (i < TG_LEN(parties) && (text[0] != '$' || text[1] != parties[i].letter))
			i++;
		if (i == TG_LEN(parties)) {
			must(tg_buf_put(&b, text, 1));
			continue;
		}
		struct tg_key *k = party(parties[i].fill);
		char *v = vkey(k, parties[i].name, parties[i].witness, text[2] - '0');
		must(tg_buf_put_str(&b, v));
		free(v);
		tg_key_free(k);
		text += 2;
	}
	must(tg_buf_put_u8(&b, 0));
	ret = strdup((const char *)b.p);
	tg_buf_done(&b);
	if (ret == NULL)
		abort();
	return ret;
}

static inline struct tg_log_policy *
policy(const char *text)
{
	char *whole = with_keys(text);
	struct tg_log_policy *p = NULL;
	struct tg_error err = TG_ERROR_INIT;
	tg_status s = tg_log_policy_parse(tg_bytes_str(whole), "policy", &p, &err);

	if (s != TG_OK)
		printf("# %s\n", err.text);
	must(s);
	free(whole);
	return p;
}

static inline struct tg_checkpoint
checkpoint(uint64_t size, uint8_t fill)
{
	struct tg_checkpoint c = { .origin = ORIGIN, .size = size };

	memset(c.root, fill, sizeof(c.root));
	return c;
}

#endif
