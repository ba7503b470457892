/* A note, a checkpoint or a verifier key that is accepted is written again byte by byte. */
#include <stdlib.h>

#include "evidence/checkpoint.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
put(tg_status s)
{
	if (s != TG_OK)
		abort();
}

static void
check_checkpoint(tg_bytes text)
{
	struct tg_checkpoint c;
	struct tg_buf again = { .max = 4096 };

	if (tg_checkpoint_parse(text, "checkpoint", &c, NULL) != TG_OK)
		return;
	put(tg_checkpoint_put(&c, &again));
	if (!tg_bytes_equal(tg_buf_view(&again), text))
		__builtin_trap();
	tg_buf_done(&again);
}

static void
check_note(tg_bytes in)
{
	struct tg_note note = { .n = 77 };
	struct tg_error err = TG_ERROR_INIT;
	struct tg_buf again = { .max = 2 * TG_MAX_NOTE };
	const tg_status s = tg_note_parse(in, "note", &note, &err);

	if (s != TG_OK) {
		if (err.status != s || err.text[0] == '\0' || note.n != 77)
			__builtin_trap();
		return;
	}
	if (note.n == 0 || note.text.n == 0 || note.text.p[note.text.n - 1] != '\n')
		__builtin_trap();
	put(tg_buf_put(&again, note.text.p, note.text.n));
	put(tg_buf_put_str(&again, "\n"));
	for (size_t i = 0; i < note.n; i++) {
		char *name = tg_bytes_text(note.line[i].name);

		if (name == NULL)
			abort();
		put(tg_note_put_line(&again, name, note.line[i].id, note.line[i].sig));
		free(name);
	}
	if (!tg_bytes_equal(tg_buf_view(&again), in))
		__builtin_trap();
	check_checkpoint(note.text);
	tg_buf_done(&again);
	tg_note_done(&note);
}

static void
check_key(tg_bytes in)
{
	struct tg_note_key *k = NULL;
	struct tg_buf again = { .max = 4096 };

	if (tg_note_key_parse(in, &k, NULL) != TG_OK)
		return;
	put(tg_note_key_print(k, &again));
	if (!tg_bytes_equal(tg_buf_view(&again), in))
		__builtin_trap();
	tg_buf_done(&again);
	tg_note_key_free(k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const tg_bytes in = { p, n };

	check_note(in);
	check_checkpoint(in);
	check_key(in);
	return 0;
}
