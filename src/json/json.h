/* json/json.h - JSON trees: strict parsing, typed access, canonical output (RFC 8785). */
#ifndef TG_JSON_JSON_H
#define TG_JSON_JSON_H

#include "util/buf.h"

/* A JSON value. Read-only values are borrowed from the tree they stand in. */
struct tg_json;

enum tg_json_profile {
	/* docs/PROTOCOL.tgsp.md section 2: RFC 8785 bytes, keys [a-z0-9_.-]+, integers only,
	 * no null, depth <= 8. What does not re-encode to itself is rejected. */
	TG_JSON_CANONICAL,
	/* RFC 8259 as other people's files have it: white space, any key order, any number, null;
	 * still strict UTF-8, no duplicate keys, no U+0000, depth <= 8. */
	TG_JSON_ORDINARY,
};

enum tg_json_type {
	TG_JSON_OBJECT,
	TG_JSON_ARRAY,
	TG_JSON_STRING,
	TG_JSON_INT,
	TG_JSON_BOOL,
	TG_JSON_OTHER, /* null or a fraction: only in TG_JSON_ORDINARY */
};

/*
 * Parse all of `text`. *ret is new: release with tg_json_free(). `what` names the text in
 * messages ("manifest"); every rejection says at which byte. TG_E_FORMAT, or TG_E_LIMIT for
 * depth or more than TG_MAX_JSON_VALUES values.
 */
TG_MUST_CHECK tg_status tg_json_parse(tg_bytes text, enum tg_json_profile profile,
    const char *what, struct tg_json **ret, struct tg_error *err);
/* Accepts NULL. */
void tg_json_free(struct tg_json *j);
static inline void
tg_json_freep(struct tg_json **j)
{
	tg_json_free(*j);
}

enum tg_json_type tg_json_typeof(const struct tg_json *j);
/* Members of an object or elements of an array; 0 for anything else. */
size_t tg_json_count(const struct tg_json *j);
/* Borrowed; NULL when absent. */
const struct tg_json *tg_json_at(const struct tg_json *array, size_t i);
const struct tg_json *tg_json_get(const struct tg_json *object, const char *key);
/* Borrowed; an empty view with p == NULL when j is not a string. NUL-terminated behind its end. */
tg_bytes tg_json_str(const struct tg_json *j);
/* Only on TG_JSON_INT and TG_JSON_BOOL. */
int64_t tg_json_int(const struct tg_json *j);
bool tg_json_bool(const struct tg_json *j);

/* Iterate an object: for (it = tg_json_iter(o); it; it = tg_json_iter_next(o, it)). */
void *tg_json_iter(const struct tg_json *object);
void *tg_json_iter_next(const struct tg_json *object, void *it);
const char *tg_json_iter_key(void *it);
const struct tg_json *tg_json_iter_value(void *it);

/*
 * The closed schema of an object: every member must be in the table, every required row must be
 * there, types must match. Values are handed out through `ret`, one slot per row (NULL: absent).
 */
struct tg_json_field {
	const char *key;
	enum tg_json_type type;
	bool required;
};
TG_MUST_CHECK tg_status tg_json_fields(const struct tg_json *object, const char *what,
    const struct tg_json_field *fields, size_t n, const struct tg_json **ret, struct tg_error *err);

/* Build a tree. tg_json_set() and tg_json_push() take the value over, also when they fail;
 * TG_E_NOMEM is their only failure. A value belongs to one parent. */
struct tg_json *tg_json_new_object(void);
struct tg_json *tg_json_new_array(void);
struct tg_json *tg_json_new_str(tg_bytes s); /* NULL unless valid UTF-8 without U+0000 */
struct tg_json *tg_json_new_int(int64_t v);
struct tg_json *tg_json_new_bool(bool v);
struct tg_json *tg_json_new_hex(tg_bytes raw);
struct tg_json *tg_json_new_base64(tg_bytes raw);
struct tg_json *tg_json_copy(const struct tg_json *j);
/* Both take over `value`; NULL for a value that could not be made is TG_E_NOMEM. */
TG_MUST_CHECK tg_status tg_json_set(struct tg_json *object, const char *key, struct tg_json *value);
TG_MUST_CHECK tg_status tg_json_push(struct tg_json *array, struct tg_json *value);

/* Append the RFC 8785 form. TG_E_FORMAT for a value outside the canonical profile. */
TG_MUST_CHECK tg_status tg_json_write(const struct tg_json *j, struct tg_buf *out,
    struct tg_error *err);

/*
 * Walk the tokens of a canonical text without building a tree, so that secrets in it are not
 * copied. `string` is called for every string value with its path from the root ("private.pqc"; array
 * elements have no name) and its contents between the quotes, escapes undecoded.
 */
struct tg_json_visitor {
	tg_status (*string)(void *ctx, const char *path, tg_bytes raw, struct tg_error *err);
	void *ctx;
};
TG_MUST_CHECK tg_status tg_json_scan(tg_bytes text, enum tg_json_profile profile, const char *what,
    const struct tg_json_visitor *visitor, struct tg_error *err);

/*
 * The members of a canonical object without a tree: all of the text is checked, nothing is copied.
 * Keys and values are borrowed from `text`. TG_E_LIMIT for more than `max` members.
 */
struct tg_json_member {
	tg_bytes key;
	enum tg_json_type type;
	tg_bytes value; /* of a string what stands between the quotes, undecoded; else its whole text */
	bool plain;     /* a string that is known to have nothing but 0x20 ... 0x7e, without escapes */
};
TG_MUST_CHECK tg_status tg_json_members(tg_bytes text, const char *what, struct tg_json_member *ret,
    size_t max, size_t *ret_n, struct tg_error *err);
/* The elements of a canonical array in the same way; their keys are empty. */
TG_MUST_CHECK tg_status tg_json_elements(tg_bytes text, const char *what,
    struct tg_json_member *ret, size_t max, size_t *ret_n, struct tg_error *err);

#endif
