#include "tensor/opcode.h"

#include <tensorguard/limits.h>

#include "tensor/window.h"
#include "util/try.h"

/* Unmatched marks that are kept track of; below that many, the stack is taken to be deep enough. */
#define MARKS 256u

enum argument {
	ARG_NONE,
	ARG_FIXED,   /* `width` bytes */
	ARG_COUNTED, /* a number of `width` bytes, and that many bytes */
	ARG_NUMBER,  /* a line of text: a number */
	ARG_QUOTED,  /* a line: a quoted string */
	ARG_LINE,    /* a line: anything */
	ARG_ID,      /* a line: a name for the program that loads; no usual one takes it */
	ARG_NAMES,   /* two lines: module and name */
};

enum role {
	ROLE_OTHER, /* takes `need` items off the stack, puts `gives` */
	ROLE_STOP,
	ROLE_PROTO,
	ROLE_TEXT,   /* puts a string, that a later ROLE_LOOKUP can import by */
	ROLE_IMPORT, /* by its own argument */
	ROLE_LOOKUP, /* imports by two strings of the stack */
	ROLE_CALL,
	ROLE_INST, /* imports and calls */
	ROLE_MARK,
	ROLE_POP, /* an item, or else a mark */
};

struct opcode {
	uint8_t known;
	uint8_t argument; /* enum argument */
	uint8_t width;
	uint8_t role; /* enum role */
	uint8_t to_mark; /* first takes the items down to the last mark, and the mark */
	uint8_t need;
	uint8_t gives;
};

#define OP(arg, width, role, to_mark, need, gives)                                                 \
	{                                                                                          \
		1, ARG_##arg, width, ROLE_##role, to_mark, need, gives                             \
	}

/* All opcodes of protocols 0 to 5. Which protocol a stream claims binds no unpickler. */
static const struct opcode opcodes[256] = {
	['('] = OP(NONE, 0, MARK, 0, 0, 0),
	['.'] = OP(NONE, 0, STOP, 0, 1, 0),
	['0'] = OP(NONE, 0, POP, 0, 0, 0),
	['1'] = OP(NONE, 0, OTHER, 1, 0, 0),      /* POP_MARK */
	['2'] = OP(NONE, 0, OTHER, 0, 1, 2),      /* DUP */
	['F'] = OP(NUMBER, 0, OTHER, 0, 0, 1),    /* FLOAT */
	['I'] = OP(NUMBER, 0, OTHER, 0, 0, 1),    /* INT */
	['J'] = OP(FIXED, 4, OTHER, 0, 0, 1),     /* BININT */
	['K'] = OP(FIXED, 1, OTHER, 0, 0, 1),     /* BININT1 */
	['L'] = OP(NUMBER, 0, OTHER, 0, 0, 1),    /* LONG */
	['M'] = OP(FIXED, 2, OTHER, 0, 0, 1),     /* BININT2 */
	['N'] = OP(NONE, 0, OTHER, 0, 0, 1),      /* NONE */
	['P'] = OP(ID, 0, TEXT, 0, 0, 1),         /* PERSID */
	['Q'] = OP(NONE, 0, TEXT, 0, 1, 1),       /* BINPERSID */
	['R'] = OP(NONE, 0, CALL, 0, 2, 1),       /* REDUCE */
	['S'] = OP(QUOTED, 0, TEXT, 0, 0, 1),     /* STRING */
	['T'] = OP(COUNTED, 4, TEXT, 0, 0, 1),    /* BINSTRING */
	['U'] = OP(COUNTED, 1, TEXT, 0, 0, 1),    /* SHORT_BINSTRING */
	['V'] = OP(LINE, 0, TEXT, 0, 0, 1),       /* UNICODE */
	['X'] = OP(COUNTED, 4, TEXT, 0, 0, 1),    /* BINUNICODE */
	['a'] = OP(NONE, 0, OTHER, 0, 2, 1),      /* APPEND */
	['b'] = OP(NONE, 0, CALL, 0, 2, 1),       /* BUILD */
	['c'] = OP(NAMES, 0, IMPORT, 0, 0, 1),    /* GLOBAL */
	['d'] = OP(NONE, 0, OTHER, 1, 0, 1),      /* DICT */
	['}'] = OP(NONE, 0, OTHER, 0, 0, 1),      /* EMPTY_DICT */
	['e'] = OP(NONE, 0, OTHER, 1, 1, 1),      /* APPENDS */
	['g'] = OP(NUMBER, 0, OTHER, 0, 0, 1),    /* GET */
	['h'] = OP(FIXED, 1, OTHER, 0, 0, 1),     /* BINGET */
	['i'] = OP(NAMES, 0, INST, 1, 0, 1),      /* INST */
	['j'] = OP(FIXED, 4, OTHER, 0, 0, 1),     /* LONG_BINGET */
	['l'] = OP(NONE, 0, OTHER, 1, 0, 1),      /* LIST */
	[']'] = OP(NONE, 0, OTHER, 0, 0, 1),      /* EMPTY_LIST */
	['o'] = OP(NONE, 0, CALL, 1, 0, 1),       /* OBJ */
	['p'] = OP(NUMBER, 0, OTHER, 0, 1, 1),    /* PUT */
	['q'] = OP(FIXED, 1, OTHER, 0, 1, 1),     /* BINPUT */
	['r'] = OP(FIXED, 4, OTHER, 0, 1, 1),     /* LONG_BINPUT */
	['s'] = OP(NONE, 0, OTHER, 0, 3, 1),      /* SETITEM */
	['t'] = OP(NONE, 0, OTHER, 1, 0, 1),      /* TUPLE */
	[')'] = OP(NONE, 0, OTHER, 0, 0, 1),      /* EMPTY_TUPLE */
	['u'] = OP(NONE, 0, OTHER, 1, 1, 1),      /* SETITEMS */
	['G'] = OP(FIXED, 8, OTHER, 0, 0, 1),     /* BINFLOAT */
	['B'] = OP(COUNTED, 4, OTHER, 0, 0, 1),   /* BINBYTES */
	['C'] = OP(COUNTED, 1, OTHER, 0, 0, 1),   /* SHORT_BINBYTES */
	[0x80] = OP(FIXED, 1, PROTO, 0, 0, 0),
	[0x81] = OP(NONE, 0, CALL, 0, 2, 1),      /* NEWOBJ */
	/* EXT1, 2, 4 import too, but from a table that is empty unless the program fills it */
	[0x82] = OP(FIXED, 1, OTHER, 0, 0, 1),
	[0x83] = OP(FIXED, 2, OTHER, 0, 0, 1),
	[0x84] = OP(FIXED, 4, OTHER, 0, 0, 1),
	[0x85] = OP(NONE, 0, OTHER, 0, 1, 1),     /* TUPLE1 */
	[0x86] = OP(NONE, 0, OTHER, 0, 2, 1),     /* TUPLE2 */
	[0x87] = OP(NONE, 0, OTHER, 0, 3, 1),     /* TUPLE3 */
	[0x88] = OP(NONE, 0, OTHER, 0, 0, 1),     /* NEWTRUE */
	[0x89] = OP(NONE, 0, OTHER, 0, 0, 1),     /* NEWFALSE */
	[0x8a] = OP(COUNTED, 1, OTHER, 0, 0, 1),  /* LONG1 */
	[0x8b] = OP(COUNTED, 4, OTHER, 0, 0, 1),  /* LONG4 */
	[0x8c] = OP(COUNTED, 1, TEXT, 0, 0, 1),   /* SHORT_BINUNICODE */
	[0x8d] = OP(COUNTED, 8, TEXT, 0, 0, 1),   /* BINUNICODE8 */
	[0x8e] = OP(COUNTED, 8, OTHER, 0, 0, 1),  /* BINBYTES8 */
	[0x8f] = OP(NONE, 0, OTHER, 0, 0, 1),     /* EMPTY_SET */
	[0x90] = OP(NONE, 0, OTHER, 1, 1, 1),     /* ADDITEMS */
	[0x91] = OP(NONE, 0, OTHER, 1, 0, 1),     /* FROZENSET */
	[0x92] = OP(NONE, 0, CALL, 0, 3, 1),      /* NEWOBJ_EX */
	[0x93] = OP(NONE, 0, LOOKUP, 0, 2, 1),    /* STACK_GLOBAL */
	[0x94] = OP(NONE, 0, OTHER, 0, 1, 1),     /* MEMOIZE */
	[0x95] = OP(FIXED, 8, OTHER, 0, 0, 0),    /* FRAME */
	[0x96] = OP(COUNTED, 8, OTHER, 0, 0, 1),  /* BYTEARRAY8 */
	[0x97] = OP(NONE, 0, OTHER, 0, 0, 1),     /* NEXT_BUFFER */
	[0x98] = OP(NONE, 0, OTHER, 0, 1, 1),     /* READONLY_BUFFER */
};

struct walk {
	struct tg_window in;
	struct tg_opcodes seen;
	uint64_t at;
	uint64_t items; /* on the stack above the last mark */
	uint64_t marks; /* unmatched */
	uint64_t below[MARKS]; /* items between the marks */
	uint64_t text;  /* bytes of lines read */
	bool strings;   /* one has been put on the stack */
	bool over;      /* Python would go no further */
};

/* What a line is made of, gathered as it is read. */
struct line {
	uint64_t n;
	uint8_t first, last;
	bool number; /* characters of numbers only, and a digit or one of nan, inf at the start */
	bool name;   /* characters of Python names, which may be in any script */
};

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void
line_classify(struct line *l, tg_bytes more)
{
	for (size_t i = 0; i < more.n && (l->number || l->name); i++) {
		uint8_t c = more.p[i];
		bool word = is_digit(c) || is_letter(c) || c == '.' || c == '_' || c == '-';

		l->number = l->number && (word || c == '+' || c == ' ' || (c >= '\t' && c <= '\r'));
		l->name = l->name && (word || c == '<' || c == '>' || c >= 0x80);
	}
}

static void
line_add(struct line *l, tg_bytes more)
{
	if (more.n == 0)
		return;
	if (l->n == 0)
		l->first = more.p[0];
	l->last = more.p[more.n - 1];
	l->n += more.n;
	line_classify(l, more);
}

/* Can the line still become what the opcode needs? Spares reading on in what is no pickle. */
static bool
line_may_fit(const struct line *l, enum argument kind)
{
	return (kind != ARG_NUMBER || l->number) && (kind != ARG_NAMES || l->name) &&
	    (kind != ARG_QUOTED || l->n == 0 || l->first == '\'' || l->first == '"');
}

static bool
line_fits(const struct line *l, enum argument kind, int protocol)
{
	switch (kind) {
	case ARG_NUMBER:
		return l->n > 0 && l->number &&
		    (!is_letter(l->first) || strchr("nNiI", l->first) != NULL);
	case ARG_QUOTED:
		return l->n >= 2 && l->first == l->last && (l->first == '\'' || l->first == '"');
	case ARG_NAMES:
		return l->n > 0 && l->name;
	case ARG_LINE:
		return true;
	case ARG_ID:
		return protocol >= 0; /* or every zip would start well, with its 'P' */
	case ARG_NONE:
	case ARG_FIXED:
	case ARG_COUNTED:
		break;
	}
	return false;
}

/* Add bytes up to the end of the line, step over them; *ret_end when it was among them. */
static void
line_gather(struct walk *w, struct line *l, tg_bytes more, bool *ret_end)
{
	const uint8_t *end = memchr(more.p, '\n', more.n);
	size_t n = end == NULL ? more.n : (size_t)(end - more.p);

	line_add(l, (tg_bytes){ more.p, n });
	*ret_end = end != NULL;
	w->at += n + (end != NULL);
	w->text += n;
	w->seen.unfinished = w->text > TG_MAX_PICKLE_TEXT;
}

/* Step over a line and its end. */
static tg_status
line_pass(struct walk *w, enum argument kind, struct tg_error *err)
{
	struct line l = { .number = true, .name = true };
	tg_bytes more = { NULL, 0 };
	bool end = false;

	while (!end && !w->over && !w->seen.unfinished) {
		if (w->at >= w->in.src->size) {
			w->over = true;
			break;
		}
		TG_TRY(tg_window_view(&w->in, w->at, &more, err));
		line_gather(w, &l, more, &end);
		w->over = !line_may_fit(&l, kind);
	}
	if (end && !line_fits(&l, kind, w->seen.protocol))
		w->over = true;
	return TG_OK;
}

static void
skip(struct walk *w, uint64_t n)
{
	if (n > w->in.src->size - w->at)
		w->over = true;
	else
		w->at += n;
}

/* Step over the argument. */
static tg_status
argument_pass(struct walk *w, const struct opcode *op, struct tg_error *err)
{
	enum argument kind = (enum argument)op->argument;
	uint64_t n = 0;

	switch (kind) {
	case ARG_NONE:
		return TG_OK;
	case ARG_FIXED:
		skip(w, op->width);
		return TG_OK;
	case ARG_COUNTED:
		if (w->in.src->size - w->at < op->width) {
			w->over = true;
			return TG_OK;
		}
		TG_TRY(tg_window_le(&w->in, w->at, op->width, &n, err));
		w->at += op->width;
		skip(w, n);
		return TG_OK;
	case ARG_NAMES:
		TG_TRY(line_pass(w, kind, err));
		return w->over || w->seen.unfinished ? TG_OK : line_pass(w, kind, err);
	case ARG_NUMBER:
	case ARG_QUOTED:
	case ARG_LINE:
	case ARG_ID:
		break;
	}
	return line_pass(w, kind, err);
}

static void
mark_set(struct walk *w)
{
	if (w->marks < MARKS)
		w->below[w->marks] = w->items;
	w->marks++;
	w->items = 0;
}

/* Deeper than we remember there may be anything: enough items for all that follows. */
static void
mark_take(struct walk *w)
{
	if (w->marks == 0) {
		w->over = true;
		return;
	}
	w->marks--;
	w->items = w->marks < MARKS ? w->below[w->marks] : UINT32_MAX;
}

/* What the opcode does to the stack; Python stops where it finds too little there. */
static void
stack_move(struct walk *w, const struct opcode *op)
{
	if (op->role == ROLE_MARK) {
		mark_set(w);
		return;
	}
	if (op->role == ROLE_POP) {
		if (w->items > 0)
			w->items--;
		else
			mark_take(w);
		return;
	}
	if (op->to_mark)
		mark_take(w);
	if (w->items < op->need)
		w->over = true;
	else
		w->items = w->items - op->need + op->gives;
}

static void
role_note(struct walk *w, const struct opcode *op)
{
	switch ((enum role)op->role) {
	case ROLE_STOP:
		w->seen.stopped = true;
		break;
	case ROLE_TEXT:
		w->strings = true;
		break;
	case ROLE_IMPORT:
		w->seen.imports = true;
		break;
	case ROLE_LOOKUP:
		w->seen.imports = w->seen.imports || w->strings;
		break;
	case ROLE_CALL:
		w->seen.calls = w->seen.calls || w->seen.imports;
		break;
	case ROLE_INST:
		w->seen.imports = w->seen.calls = true;
		break;
	case ROLE_PROTO:
	case ROLE_OTHER:
	case ROLE_MARK:
	case ROLE_POP:
		break;
	}
}

static tg_status
step(struct walk *w, struct tg_error *err)
{
	const struct opcode *op = NULL;
	uint8_t code = 0;

	if (w->at >= w->in.src->size) {
		w->over = true;
		return TG_OK;
	}
	TG_TRY(tg_window_read(&w->in, w->at, &code, 1, err));
	w->at++;
	op = &opcodes[code];
	w->over = !op->known;
	if (!w->over)
		TG_TRY(argument_pass(w, op, err));
	if (w->over || w->seen.unfinished)
		return TG_OK;
	stack_move(w, op);
	if (w->over)
		return TG_OK;
	role_note(w, op);
	w->seen.count++;
	w->seen.end = w->at;
	w->seen.unfinished = !w->seen.stopped && w->seen.count >= TG_MAX_PICKLE_OPCODES;
	return TG_OK;
}

static tg_status
protocol_read(struct walk *w, struct tg_error *err)
{
	uint64_t head = 0;

	w->seen.protocol = -1;
	if (w->in.src->size < 2)
		return TG_OK;
	TG_TRY(tg_window_le(&w->in, 0, 2, &head, err));
	if ((head & 0xff) == 0x80 && head >> 8 <= 5)
		w->seen.protocol = (int)(head >> 8);
	return TG_OK;
}

tg_status
tg_opcodes_walk(const struct tg_source *src, struct tg_opcodes *ret, struct tg_error *err)
{
	struct walk w = { .at = 0 };

	tg_window_init(&w.in, src);
	TG_TRY(protocol_read(&w, err));
	while (!w.over && !w.seen.stopped && !w.seen.unfinished)
		TG_TRY(step(&w, err));
	w.seen.reached = w.at;
	*ret = w.seen;
	return TG_OK;
}

bool
tg_opcodes_are_pickle(const struct tg_opcodes *w)
{
	return w->calls || w->unfinished || (w->stopped && w->protocol >= 0);
}
