#include "evidence/defaults.h"

#include <stdlib.h>
#include <tensorguard/limits.h>

#include "util/try.h"

/* "key":value as a text of its own; *ret is its place, since the buffer may still move. */
static tg_status
put_member(struct tg_buf *b, const char *key, const char *value, const char *quote, size_t *ret,
    struct tg_error *err)
{
	*ret = b->n;
	TG_REQUIRE(tg_buf_put_str(b, "\"") == TG_OK && tg_buf_put_str(b, key) == TG_OK &&
		tg_buf_put_str(b, "\":") == TG_OK && tg_buf_put_str(b, quote) == TG_OK &&
		tg_buf_put_str(b, value) == TG_OK && tg_buf_put_str(b, quote) == TG_OK &&
		tg_buf_put_u8(b, 0) == TG_OK,
	    err, TG_E_NOMEM, "log: out of memory");
	return TG_OK;
}

/* A record made of the defaults must be one. */
static tg_status
try_defaults(const struct tg_defaults *defaults, struct tg_error *err)
{
	static const char event[] = "{\"event_type\":\"NOTE_ADDED\",\"note\":\"x\"}";
	static const char with_actor[] =
	    "{\"actor\":{\"id\":\"x\",\"type\":\"system\"},\"event_type\":\"NOTE_ADDED\",\"note\":\"x\"}";
	const char *text = defaults->texts.actor == NULL ? with_actor : event;
	struct tg_draft d;
	struct tg_event e;

	TG_TRY(tg_draft_prepare(tg_bytes_str(text), &defaults->texts, &d, err));
	uint8_t *p = malloc(d.room);
	TG_REQUIRE(p != NULL, err, TG_E_NOMEM, "log: out of memory");
	const struct tg_record r = tg_draft_write(&d, 0, 0, "00000000-0000-4000-8000-000000000000", p);
	const tg_status s = tg_record_event(&r, "log: origin, tenant or actor", &e, err);
	free(p);
	return s;
}

tg_status
tg_defaults_make(struct tg_defaults *d, const char *origin, const char *tenant, const char *actor,
    struct tg_error *err)
{
	size_t origin_at = 0, tenant_at = 0, actor_at = 0;

	tg_buf_init(&d->buf, TG_MAX_LOG_RECORD);
	TG_TRY(put_member(&d->buf, "log_origin", origin, "\"", &origin_at, err));
	TG_TRY(put_member(&d->buf, "tenant_id", tenant == NULL ? "default" : tenant, "\"", &tenant_at, err));
	if (actor != NULL)
		TG_TRY(put_member(&d->buf, "actor", actor, "", &actor_at, err));
	const char *texts = (const char *)d->buf.p;
	d->texts.origin = texts + origin_at;
	d->texts.tenant = texts + tenant_at;
	d->texts.actor = actor == NULL ? NULL : texts + actor_at;
	return try_defaults(d, err);
}

void
tg_defaults_done(struct tg_defaults *d)
{
	tg_buf_done(&d->buf);
}
