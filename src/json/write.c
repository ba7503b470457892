/* RFC 8785 output. jansson's own dumper sorts and escapes differently. */
#include <stdio.h>
#include <stdlib.h>
#include <tensorguard/limits.h>

#include "json/json.h"
#include "util/try.h"

static tg_status
write_str(tg_bytes s, struct tg_buf *out)
{
	static const char shorts[0x20] = {
		['\b'] = 'b',
		['\t'] = 't',
		['\n'] = 'n',
		['\f'] = 'f',
		['\r'] = 'r',
	};
	size_t from = 0;

	TG_TRY(tg_buf_put_u8(out, '"'));
	for (size_t i = 0; i < s.n; i++) {
		const uint8_t c = s.p[i];
		char esc[8];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		if (c >= 0x20 || shorts[c] != 0)
			(void)snprintf(esc, sizeof(esc), "\\%c", c >= 0x20 ? c : shorts[c]);
		else
			(void)snprintf(esc, sizeof(esc), "\\u%04x", c);
		TG_TRY(tg_buf_put(out, s.p + from, i - from));
		TG_TRY(tg_buf_put_str(out, esc));
		from = i + 1;
	}
	TG_TRY(tg_buf_put(out, s.p + from, s.n - from));
	return tg_buf_put_u8(out, '"');
}

/* Keys are ASCII in every text we write, so UTF-16 order is strcmp order. */
static int
by_key(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;

	return strcmp(x, y);
}

static tg_status write_value(const struct tg_json *j, struct tg_buf *out, struct tg_error *err);

static tg_status
write_members(const struct tg_json *j, const char **keys, struct tg_buf *out, struct tg_error *err)
{
	size_t n = 0;

	for (void *it = tg_json_iter(j); it != NULL; it = tg_json_iter_next(j, it))
		keys[n++] = tg_json_iter_key(it);
	qsort(keys, n, sizeof(*keys), by_key);
	for (size_t i = 0; i < n; i++) {
		TG_TRY(i == 0 ? TG_OK : tg_buf_put_u8(out, ','));
		TG_TRY(write_str(tg_bytes_str(keys[i]), out));
		TG_TRY(tg_buf_put_u8(out, ':'));
		TG_TRY(write_value(tg_json_get(j, keys[i]), out, err));
	}
	return TG_OK;
}

static tg_status
write_object(const struct tg_json *j, struct tg_buf *out, struct tg_error *err)
{
	const size_t n = tg_json_count(j);
	const char **keys = calloc(n + 1, sizeof(*keys));

	if (keys == NULL)
		return TG_E_NOMEM;
	tg_status s = tg_buf_put_u8(out, '{');
	if (s == TG_OK)
		s = write_members(j, keys, out, err);
	free(keys);
	TG_TRY(s);
	return tg_buf_put_u8(out, '}');
}

static tg_status
write_array(const struct tg_json *j, struct tg_buf *out, struct tg_error *err)
{
	TG_TRY(tg_buf_put_u8(out, '['));
	for (size_t i = 0; i < tg_json_count(j); i++) {
		TG_TRY(i == 0 ? TG_OK : tg_buf_put_u8(out, ','));
		TG_TRY(write_value(tg_json_at(j, i), out, err));
	}
	return tg_buf_put_u8(out, ']');
}

static tg_status
write_int(int64_t v, struct tg_buf *out, struct tg_error *err)
{
	char text[24];

	TG_REQUIRE(v <= TG_MAX_JSON_INT && v >= -TG_MAX_JSON_INT, err, TG_E_FORMAT,
	    "JSON: %lld is outside -(2^53-1) ... 2^53-1", (long long)v);
	(void)snprintf(text, sizeof(text), "%lld", (long long)v);
	return tg_buf_put_str(out, text);
}

static tg_status
write_value(const struct tg_json *j, struct tg_buf *out, struct tg_error *err)
{
	switch (tg_json_typeof(j)) {
	case TG_JSON_OBJECT:
		return write_object(j, out, err);
	case TG_JSON_ARRAY:
		return write_array(j, out, err);
	case TG_JSON_STRING:
		return write_str(tg_json_str(j), out);
	case TG_JSON_INT:
		return write_int(tg_json_int(j), out, err);
	case TG_JSON_BOOL:
		return tg_buf_put_str(out, tg_json_bool(j) ? "true" : "false");
	case TG_JSON_OTHER:
		break;
	}
	return tg_fail(err, TG_E_FORMAT, "JSON: null or a fraction, which the profile does not have");
}

tg_status
tg_json_write(const struct tg_json *j, struct tg_buf *out, struct tg_error *err)
{
	tg_status s = write_value(j, out, err);

	if (s == TG_E_NOMEM)
		return tg_fail(err, s, "JSON: out of memory");
	if (s == TG_E_LIMIT)
		return tg_fail(err, s, "JSON: longer than %zu bytes", out->max);
	return s;
}
