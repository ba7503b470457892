/* {"floors":[{"author":hex,"index":int,"model":text}],"tensorguard_state":1} */
#include <tensorguard/limits.h>

#include "cli/reader.h"
#include "util/newfile.h"
#include "util/text.h"
#include "util/try.h"

#define FILE_NAME "rollback.json"

struct floors {
	struct tg_json *tree, *list; /* list is borrowed from the tree */
};

static void
floors_done(struct floors *f)
{
	tg_json_free(f->tree);
}

static tg_status
file_path(const char *dir, char ret[static 4096], struct tg_error *err)
{
	TG_REQUIRE(snprintf(ret, 4096, "%s/" FILE_NAME, dir) < 4096, err, TG_E_LIMIT,
	    "%s: path too long", dir);
	return TG_OK;
}

static tg_status
floors_new(struct floors *ret, struct tg_error *err)
{
	ret->tree = tg_json_new_object();
	TG_REQUIRE(ret->tree != NULL &&
		tg_json_set(ret->tree, "floors", tg_json_new_array()) == TG_OK &&
		tg_json_set(ret->tree, "tensorguard_state", tg_json_new_int(1)) == TG_OK,
	    err, TG_E_NOMEM, "state: out of memory");
	return TG_OK;
}

static tg_status
floors_parse(tg_bytes text, const char *path, struct floors *ret, struct tg_error *err)
{
	static const struct tg_json_field fields[] = {
		{ "floors", TG_JSON_ARRAY, true },
		{ "tensorguard_state", TG_JSON_INT, true },
	};
	static const struct tg_json_field row[] = {
		{ "author", TG_JSON_STRING, true },
		{ "index", TG_JSON_INT, true },
		{ "model", TG_JSON_STRING, true },
	};
	const struct tg_json *f[TG_LEN(fields)] = { NULL }, *r[TG_LEN(row)] = { NULL };

	TG_TRY(tg_json_parse(text, TG_JSON_ORDINARY, path, &ret->tree, err));
	TG_TRY(tg_json_fields(ret->tree, path, fields, TG_LEN(fields), f, err));
	TG_REQUIRE(tg_json_int(f[1]) == 1, err, TG_E_UNSUPPORTED, "%s: state of another version", path);
	for (size_t i = 0; i < tg_json_count(f[0]); i++) {
		TG_TRY(tg_json_fields(tg_json_at(f[0], i), path, row, TG_LEN(row), r, err));
		TG_REQUIRE(tg_json_int(r[1]) >= 0, err, TG_E_FORMAT, "%s: a floor of %lld, 0 or more expected",
		    path, (long long)tg_json_int(r[1]));
	}
	return TG_OK;
}

/* An absent file is an empty state; a damaged one is an error, never a fresh start. */
static tg_status
floors_load(const char *dir, struct floors *ret, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_STATE_FILE };
	char path[4096];
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(file_path(dir, path, err));
	tg_status s = tg_file_read(path, &text, &why);
	if (s == TG_E_NOTFOUND) {
		TG_TRY(floors_new(ret, err));
	} else {
		TG_REQUIRE(s == TG_OK, err, s, "%s", why.text);
		TG_TRY(floors_parse(tg_buf_view(&text), path, ret, err));
	}
	ret->list = (struct tg_json *)(uintptr_t)tg_json_get(ret->tree, "floors");
	return TG_OK;
}

/* Index of the row, or the count of rows. */
static size_t
floors_find(const struct floors *f, const char *author, const char *model)
{
	size_t i = 0;

	for (; i < tg_json_count(f->list); i++) {
		const struct tg_json *row = tg_json_at(f->list, i);

		if (tg_bytes_equal(tg_json_str(tg_json_get(row, "author")), tg_bytes_str(author)) &&
		    tg_bytes_equal(tg_json_str(tg_json_get(row, "model")), tg_bytes_str(model)))
			break;
	}
	return i;
}

static uint64_t
floors_get(const struct floors *f, const char *author, const char *model)
{
	const size_t i = floors_find(f, author, model);
	const int64_t v = i == tg_json_count(f->list)
	    ? 0
	    : tg_json_int(tg_json_get(tg_json_at(f->list, i), "index"));

	return v < 0 ? 0 : (uint64_t)v;
}

tg_status
state_floor(const char *dir, const uint8_t author[static TG_KEY_ID_LEN], const char *model,
    uint64_t *ret, struct tg_error *err)
{
	TG_AUTO(floors_done) struct floors f = { NULL, NULL };
	char id[2 * TG_KEY_ID_LEN + 1];

	TG_AUTO(tg_dir_closep) struct tg_dir *d = NULL;

	/* a folder that is not there is a mistake; a file that is not there yet is a fresh start */
	TG_TRY(tg_dir_open(dir, &d, err));
	tg_hex_encode(id, (tg_bytes){ author, TG_KEY_ID_LEN });
	TG_TRY(floors_load(dir, &f, err));
	*ret = floors_get(&f, id, model);
	return TG_OK;
}

static tg_status
floors_set(struct floors *f, const char *author, const char *model, uint64_t index,
    struct tg_error *err)
{
	const size_t at = floors_find(f, author, model);
	struct tg_json *row;

	if (at < tg_json_count(f->list)) {
		row = (struct tg_json *)(uintptr_t)tg_json_at(f->list, at);
		TG_REQUIRE(tg_json_set(row, "index", tg_json_new_int((int64_t)index)) == TG_OK, err,
		    TG_E_NOMEM, "state: out of memory");
		return TG_OK;
	}
	row = tg_json_new_object();
	TG_REQUIRE(row != NULL &&
		tg_json_set(row, "author", tg_json_new_str(tg_bytes_str(author))) == TG_OK &&
		tg_json_set(row, "index", tg_json_new_int((int64_t)index)) == TG_OK &&
		tg_json_set(row, "model", tg_json_new_str(tg_bytes_str(model))) == TG_OK &&
		tg_json_push(f->list, row) == TG_OK,
	    err, TG_E_NOMEM, "state: out of memory");
	return TG_OK;
}

static tg_status
floors_save(const char *dir, const struct floors *f, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_STATE_FILE };
	TG_AUTO(tg_newfile_closep) struct tg_newfile *file = NULL;
	char path[4096];

	TG_TRY(file_path(dir, path, err));
	TG_TRY(tg_json_write(f->tree, &text, err));
	TG_TRY(tg_newfile_create_path(path, 0644, &file, err));
	const struct tg_sink to = tg_newfile_sink(file);
	TG_TRY(to.write(to.ctx, text.p, text.n, err));
	return tg_newfile_commit(file, true, err);
}

tg_status
state_raise(const char *dir, const uint8_t author[static TG_KEY_ID_LEN], const char *model,
    uint64_t index, struct tg_error *err)
{
	TG_AUTO(tg_fd_closep) int lock = -1;
	TG_AUTO(floors_done) struct floors f = { NULL, NULL };
	char id[2 * TG_KEY_ID_LEN + 1], path[4096];

	TG_TRY(file_path(dir, path, err));
	TG_TRY(tg_lock_beside(path, &lock, err));
	tg_hex_encode(id, (tg_bytes){ author, TG_KEY_ID_LEN });
	TG_TRY(floors_load(dir, &f, err));
	if (floors_get(&f, id, model) >= index)
		return TG_OK;
	TG_TRY(floors_set(&f, id, model, index, err));
	return floors_save(dir, &f, err);
}
