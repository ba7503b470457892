#include "tensor/keras.h"

#include <stdlib.h>

#include "util/try.h"

#define BLOCK 65536u

/* Classes whose configuration holds marshalled bytecode or a pickle. */
static const char *const code_classes[] = { "Lambda", "__lambda__", "TorchModuleWrapper" };

/* What may stand between two quotation marks. */
enum piece { PIECE_OTHER, PIECE_KEY, PIECE_COLON };

/*
 * The bytes between two quotation marks, decoded, without white space. Every mark ends one piece
 * and starts the next, so it does not matter whether one was met inside or outside a string: a hit
 * is the key, a colon, and a class in three pieces in a row.
 */
struct search {
	char text[24];
	size_t n;
	bool other;      /* too long, or with something that none of our pieces has */
	unsigned escape; /* 1: behind a backslash; 2 to 5: one less digits of \uXXXX to come */
	unsigned code;   /* of \uXXXX */
	enum piece before, last;
};

static void
text_add(struct search *s, unsigned c)
{
	if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
		return;
	if (c >= 0x7f || s->n == sizeof(s->text))
		s->other = true;
	else
		s->text[s->n++] = (char)c;
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One byte of an escape; of the short ones none stands for a character we look for. */
static void
escape_add(struct search *s, uint8_t c)
{
	int digit = hex_digit(c);

	if (s->escape == 1) {
		s->escape = c == 'u' ? 5 : 0;
		s->other = s->other || c != 'u';
		s->code = 0;
	} else if (digit < 0) {
		s->other = true;
		s->escape = 0;
	} else {
		s->code = s->code << 4 | (unsigned)digit;
		s->escape--;
		if (s->escape == 1) {
			s->escape = 0;
			text_add(s, s->code);
		}
	}
}

static bool
is_text(const struct search *s, const char *want)
{
	return !s->other && s->escape == 0 && s->n == strlen(want) &&
	    strncmp(s->text, want, s->n) == 0;
}

/* A quotation mark: what was the piece before it? The class, when that completes a hit. */
static const char *
piece_end(struct search *s)
{
	enum piece now = is_text(s, "class_name") ? PIECE_KEY
	    : is_text(s, ":")			  ? PIECE_COLON
						  : PIECE_OTHER;
	const char *hit = NULL;

	for (size_t i = 0; i < TG_LEN(code_classes); i++)
		if (s->before == PIECE_KEY && s->last == PIECE_COLON && is_text(s, code_classes[i]))
			hit = code_classes[i];
	*s = (struct search){ .before = s->last, .last = now };
	return hit;
}

/* Zero bytes are passed over: they are every second one of ASCII text in UTF-16. */
static const char *
block_search(struct search *s, tg_bytes block)
{
	for (size_t i = 0; i < block.n; i++) {
		const uint8_t *mark =
		    s->other ? memchr(block.p + i, '"', block.n - i) : block.p + i;

		if (mark == NULL) /* most of a file of weights is passed over here */
			break;
		i = (size_t)(mark - block.p);
		uint8_t c = block.p[i];
		if (c == '"') {
			const char *hit = piece_end(s);

			if (hit != NULL)
				return hit;
		} else if (s->escape > 0 && c != 0) {
			escape_add(s, c);
		} else if (c == '\\') {
			s->escape = 1;
		} else if (c != 0) {
			text_add(s, c);
		}
	}
	return NULL;
}

static void
block_free(uint8_t **p)
{
	free(*p);
}

tg_status
tg_keras_find_code(const struct tg_source *src, const char **ret_name, struct tg_error *err)
{
	TG_AUTO(block_free) uint8_t *block = malloc(BLOCK);
	struct search s = { .n = 0 };
	const char *hit = NULL;

	TG_REQUIRE(block != NULL, err, TG_E_NOMEM, "no memory to search");
	for (uint64_t at = 0; at < src->size && hit == NULL;) {
		size_t n = src->size - at < BLOCK ? (size_t)(src->size - at) : BLOCK;

		TG_TRY(src->read_at(src->ctx, block, n, at, err));
		hit = block_search(&s, (tg_bytes){ block, n });
		at += n;
	}
	*ret_name = hit;
	return TG_OK;
}
