#include "evidence/draft.h"

#include <tensorguard/limits.h>

#include "util/text.h"
#include "util/try.h"

#define MAY_LACK                                                                                   \
	(TG_M_BY_LOG | TG_M_BIT(TG_M_EVENT_ID) | TG_M_BIT(TG_M_TENANT_ID) | TG_M_BIT(TG_M_ACTOR))

static const char id_key[] = "\"event_id\":\"", sequence_key[] = "\"sequence\":",
		  timestamp_key[] = "\"timestamp\":";

static void
add(struct tg_draft *d, enum tg_piece_kind kind, tg_bytes text)
{
	d->piece[d->n].kind = kind;
	d->piece[d->n].text = text;
	d->n++;
}

/* What the author wrote of a member, with its key. */
static tg_bytes
written(const struct tg_event *e, unsigned m)
{
	const enum tg_value_form form = tg_member_rules[m].form;
	const size_t quote = form == TG_V_TEXT || form == TG_V_HEX64 || form == TG_V_UUID ||
	    form == TG_V_CHOICE;
	const size_t before = strlen(tg_member_rules[m].key) + 3 + quote;

	return (tg_bytes){ e->value[m].p - before, e->value[m].n + before + quote };
}

/* Neighbours in the author's text stay one piece, with the comma between them. */
static void
add_written(struct tg_draft *d, tg_bytes text)
{
	tg_bytes *last = d->n == 0 ? NULL : &d->piece[d->n - 1].text;

	if (last != NULL && d->piece[d->n - 1].kind == TG_PIECE_TEXT && last->p + last->n + 1 == text.p)
		last->n += 1 + text.n;
	else
		add(d, TG_PIECE_TEXT, text);
}

static void
add_set(struct tg_draft *d, unsigned m, const struct tg_draft_defaults *defaults)
{
	if (m == TG_M_EVENT_ID)
		add(d, TG_PIECE_EVENT_ID, (tg_bytes){ NULL, 0 });
	else if (m == TG_M_SEQUENCE)
		add(d, TG_PIECE_SEQUENCE, (tg_bytes){ NULL, 0 });
	else if (m == TG_M_TIMESTAMP)
		add(d, TG_PIECE_TIMESTAMP, (tg_bytes){ NULL, 0 });
	else
		add(d, TG_PIECE_TEXT,
		    tg_bytes_str(m == TG_M_ACTOR	     ? defaults->actor
			    : m == TG_M_TENANT_ID ? defaults->tenant
						  : defaults->origin));
}

tg_status
tg_draft_prepare(tg_bytes event, const struct tg_draft_defaults *defaults, struct tg_draft *ret,
    struct tg_error *err)
{
	struct tg_event e;
	const uint32_t lack = defaults->actor == NULL ? MAY_LACK & ~TG_M_BIT(TG_M_ACTOR) : MAY_LACK;

	TG_REQUIRE(event.n <= TG_MAX_LOG_RECORD, err, TG_E_LIMIT, "event: %zu bytes, a record has at most %u",
	    event.n, TG_MAX_LOG_RECORD);
	TG_TRY(tg_event_read(event, lack, true, "event", &e, err));
	ret->n = 0;
	ret->of_log = strncmp(e.type->name, "LOG_", 4) == 0;
	ret->event_id = (tg_bytes){ NULL, 0 };
	for (unsigned m = 0; m < TG_MEMBERS; m++) {
		if ((e.has & TG_M_BIT(m)) != 0)
			add_written(ret, written(&e, m));
		else if ((lack & TG_M_BIT(m)) != 0)
			add_set(ret, m, defaults);
	}
	if ((e.has & TG_M_BIT(TG_M_EVENT_ID)) != 0)
		ret->event_id = e.value[TG_M_EVENT_ID];
	/* commas and braces, and the longest of what is still to be filled in */
	ret->room = TG_RECORD_HEAD_MAX + 3 + sizeof(id_key) + TG_UUID_TEXT + sizeof(sequence_key) +
	    sizeof(timestamp_key) + 40;
	for (size_t i = 0; i < ret->n; i++)
		ret->room += ret->piece[i].text.n + 1;
	TG_REQUIRE(ret->room <= TG_MAX_LOG_RECORD, err, TG_E_LIMIT,
	    "event: it would make a record of up to %zu bytes, which has at most %u", ret->room,
	    TG_MAX_LOG_RECORD);
	return TG_OK;
}

static uint8_t *
put(uint8_t *p, const void *s, size_t n)
{
	memcpy(p, s, n);
	return p + n;
}

static uint8_t *
put_number(uint8_t *p, uint64_t v)
{
	uint8_t digits[20];
	size_t n = sizeof(digits);

	do
		digits[--n] = (uint8_t)('0' + v % 10);
	while ((v /= 10) > 0);
	return put(p, digits + n, sizeof(digits) - n);
}

struct tg_record
tg_draft_write(const struct tg_draft *d, uint64_t sequence, int64_t timestamp,
    const char event_id[static TG_UUID_TEXT], uint8_t *start)
{
	uint8_t *p = tg_record_begin(start, sequence);
	const size_t rest = (size_t)(p - start) - 1;

	for (size_t i = 0; i < d->n; i++) {
		if (i > 0)
			*p++ = ',';
		switch (d->piece[i].kind) {
		case TG_PIECE_TEXT:
			p = put(p, d->piece[i].text.p, d->piece[i].text.n);
			break;
		case TG_PIECE_EVENT_ID:
			p = put(p, id_key, sizeof(id_key) - 1);
			p = put(p, event_id, TG_UUID_TEXT);
			*p++ = '"';
			break;
		case TG_PIECE_SEQUENCE:
			p = put_number(put(p, sequence_key, sizeof(sequence_key) - 1), sequence);
			break;
		case TG_PIECE_TIMESTAMP:
			p = put_number(put(p, timestamp_key, sizeof(timestamp_key) - 1), (uint64_t)timestamp);
			break;
		}
	}
	*p++ = '}';
	*p++ = '\n';
	return (struct tg_record){ start, (size_t)(p - start) - 1, rest, sequence };
}

void
tg_uuid4_text(const uint8_t random[static 16], char out[static TG_UUID_TEXT + 1])
{
	uint8_t b[16];
	char hex[33];

	memcpy(b, random, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	tg_hex_encode(hex, (tg_bytes){ b, sizeof(b) });
	memcpy(out, hex, 8);
	memcpy(out + 9, hex + 8, 4);
	memcpy(out + 14, hex + 12, 4);
	memcpy(out + 19, hex + 16, 4);
	memcpy(out + 24, hex + 20, 13);
	out[8] = out[13] = out[18] = out[23] = '-';
}
