#include "json/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <tensorguard/limits.h>

#include "util/text.h"
#include "util/try.h"

/* struct tg_json is jansson's json_t under another name: only this folder knows. */
static json_t *
lib(const struct tg_json *j)
{
	return (json_t *)(uintptr_t)j; /* jansson counts references in const values too */
}

static struct tg_json *
ours(json_t *j)
{
	return (struct tg_json *)j;
}

tg_status
tg_json_parse(tg_bytes text, enum tg_json_profile profile, const char *what, struct tg_json **ret,
    struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *tree = NULL;
	json_error_t why;

	TG_TRY(tg_json_scan(text, profile, what, NULL, err));
	tree = ours(json_loadb((const char *)text.p, text.n,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why));
	if (tree == NULL && json_error_code(&why) == json_error_out_of_memory)
		return tg_fail(err, TG_E_NOMEM, "%s: out of memory", what);
	TG_REQUIRE(tree != NULL, err, TG_E_FORMAT, "%s: byte %d: %s", what, why.position, why.text);
	if (profile == TG_JSON_CANONICAL) {
		struct tg_buf again;

		tg_buf_init(&again, text.n);
		tg_status s = tg_json_write(tree, &again, err);
		bool same = s == TG_OK && tg_bytes_equal(tg_buf_view(&again), text);
		tg_buf_done(&again);
		if (s != TG_E_LIMIT) /* longer than it was: not the same */
			TG_TRY(s);
		TG_REQUIRE(same, err, TG_E_FORMAT, "%s: does not re-encode to itself", what);
	}
	*ret = tree;
	tree = NULL;
	return TG_OK;
}

void
tg_json_free(struct tg_json *j)
{
	json_decref(lib(j));
}

enum tg_json_type
tg_json_typeof(const struct tg_json *j)
{
	static const enum tg_json_type types[] = {
		[JSON_OBJECT] = TG_JSON_OBJECT,
		[JSON_ARRAY] = TG_JSON_ARRAY,
		[JSON_STRING] = TG_JSON_STRING,
		[JSON_INTEGER] = TG_JSON_INT,
		[JSON_REAL] = TG_JSON_OTHER,
		[JSON_TRUE] = TG_JSON_BOOL,
		[JSON_FALSE] = TG_JSON_BOOL,
		[JSON_NULL] = TG_JSON_OTHER,
	};

	return types[json_typeof(lib(j))];
}

size_t
tg_json_count(const struct tg_json *j)
{
	return json_is_object(lib(j)) ? json_object_size(lib(j)) : json_array_size(lib(j));
}

const struct tg_json *
tg_json_at(const struct tg_json *array, size_t i)
{
	return ours(json_array_get(lib(array), i));
}

const struct tg_json *
tg_json_get(const struct tg_json *object, const char *key)
{
	return ours(json_object_get(lib(object), key));
}

tg_bytes
tg_json_str(const struct tg_json *j)
{
	const char *s = j == NULL ? NULL : json_string_value(lib(j));

	return s == NULL ? (tg_bytes){ NULL, 0 }
			 : (tg_bytes){ (const uint8_t *)s, json_string_length(lib(j)) };
}

int64_t
tg_json_int(const struct tg_json *j)
{
	return json_integer_value(lib(j));
}

bool
tg_json_bool(const struct tg_json *j)
{
	return json_is_true(lib(j));
}

void *
tg_json_iter(const struct tg_json *object)
{
	return json_object_iter(lib(object));
}

void *
tg_json_iter_next(const struct tg_json *object, void *it)
{
	return json_object_iter_next(lib(object), it);
}

const char *
tg_json_iter_key(void *it)
{
	return json_object_iter_key(it);
}

const struct tg_json *
tg_json_iter_value(void *it)
{
	return ours(json_object_iter_value(it));
}

static const char *
type_name(enum tg_json_type t)
{
	static const char *const names[] = {
		[TG_JSON_OBJECT] = "an object",
		[TG_JSON_ARRAY] = "an array",
		[TG_JSON_STRING] = "a string",
		[TG_JSON_INT] = "an integer",
		[TG_JSON_BOOL] = "true or false",
		[TG_JSON_OTHER] = "null or a fraction",
	};

	return names[t];
}

tg_status
tg_json_fields(const struct tg_json *object, const char *what, const struct tg_json_field *fields,
    size_t n, const struct tg_json **ret, struct tg_error *err)
{
	size_t found = 0;

	TG_REQUIRE(tg_json_typeof(object) == TG_JSON_OBJECT, err, TG_E_FORMAT,
	    "%s: %s, where an object is expected", what, type_name(tg_json_typeof(object)));
	for (size_t i = 0; i < n; i++) {
		ret[i] = tg_json_get(object, fields[i].key);
		TG_REQUIRE(ret[i] != NULL || !fields[i].required, err, TG_E_FORMAT,
		    "%s: no \"%s\"", what, fields[i].key);
		if (ret[i] == NULL)
			continue;
		found++;
		TG_REQUIRE(tg_json_typeof(ret[i]) == fields[i].type, err, TG_E_FORMAT,
		    "%s: \"%s\" is %s, %s expected", what, fields[i].key,
		    type_name(tg_json_typeof(ret[i])), type_name(fields[i].type));
	}
	if (found == tg_json_count(object))
		return TG_OK;
	for (void *it = tg_json_iter(object); it != NULL; it = tg_json_iter_next(object, it)) {
		bool known = false;

		for (size_t i = 0; i < n && !known; i++)
			known = strcmp(fields[i].key, tg_json_iter_key(it)) == 0;
		TG_REQUIRE(known, err, TG_E_FORMAT, "%s: unknown key \"%s\"", what,
		    tg_json_iter_key(it));
	}
	return tg_fail(err, TG_E_INTERNAL, "%s: a key of the schema stands twice", what);
}

struct tg_json *
tg_json_new_object(void)
{
	return ours(json_object());
}

struct tg_json *
tg_json_new_array(void)
{
	return ours(json_array());
}

struct tg_json *
tg_json_new_str(tg_bytes s)
{
	if (s.n > 0 && memchr(s.p, 0, s.n) != NULL)
		return NULL;
	return ours(json_stringn(s.n == 0 ? "" : (const char *)s.p, s.n));
}

struct tg_json *
tg_json_new_int(int64_t v)
{
	return ours(json_integer(v));
}

struct tg_json *
tg_json_new_bool(bool v)
{
	return ours(json_boolean(v));
}

static struct tg_json *
new_encoded(tg_bytes raw, size_t len, void (*encode)(char *, tg_bytes))
{
	char *text = malloc(len + 1);
	struct tg_json *j = NULL;

	if (text != NULL) {
		encode(text, raw);
		j = tg_json_new_str((tg_bytes){ (const uint8_t *)text, len });
	}
	free(text);
	return j;
}

struct tg_json *
tg_json_new_hex(tg_bytes raw)
{
	return new_encoded(raw, 2 * raw.n, tg_hex_encode);
}

struct tg_json *
tg_json_new_base64(tg_bytes raw)
{
	return new_encoded(raw, tg_base64_len(raw.n), tg_base64_encode);
}

struct tg_json *
tg_json_copy(const struct tg_json *j)
{
	return ours(json_deep_copy(lib(j)));
}

tg_status
tg_json_set(struct tg_json *object, const char *key, struct tg_json *value)
{
	return json_object_set_new(lib(object), key, lib(value)) == 0 ? TG_OK : TG_E_NOMEM;
}

tg_status
tg_json_push(struct tg_json *array, struct tg_json *value)
{
	return json_array_append_new(lib(array), lib(value)) == 0 ? TG_OK : TG_E_NOMEM;
}
