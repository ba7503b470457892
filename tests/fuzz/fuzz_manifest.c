/* An accepted manifest is the one that our writer makes of what was read; and what also passes the
 * cross-checks keeps to the rules of the format, judged here a second time. */
#include "tgsp/layout.h"
#include "tgsp/manifest.h"
#include "util/text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const uint8_t *
hash_of(const struct tg_json *tree, const char *key, uint8_t to[static 32])
{
	const struct tg_json *j = tg_json_get(tree, key);

	if (j != NULL && !tg_hex_decode(to, 32, tg_json_str(j)))
		__builtin_trap();
	return j == NULL ? NULL : to;
}

/* Empty lists are left out by the writer, and free to stand in what is read. */
static bool
has_empty_list(const struct tg_json *tree)
{
	static const char *const lists[] = { "delegates", "tensors" };

	for (size_t i = 0; i < 2; i++) {
		const struct tg_json *j = tg_json_get(tree, lists[i]);

		if (j != NULL && tg_json_count(j) == 0)
			return true;
	}
	return false;
}

static void
writes_back(const struct tgsp_manifest *m, tg_bytes input)
{
	struct tg_package_file *files = calloc(m->n_files + 1, sizeof(*files));
	uint8_t base[32], prev[32], content[32];
	struct tg_buf out;

	if (files == NULL)
		abort();
	for (size_t i = 0; i < m->n_files; i++)
		files[i] = m->files[i].f;
	const struct tgsp_manifest_draft d = {
		.package_id = m->package_id,
		.model_name = m->model_name,
		.model_version = m->model_version,
		.kind = tg_json_get(m->tree, "kind") == NULL ? NULL : m->kind,
		.author = m->author,
		.created_at = m->created_at,
		.rollback_index = m->rollback_index,
		.files = files,
		.n_files = m->n_files,
		.tensors = m->tensors,
		.n_tensors = m->n_tensors,
		.not_before = m->has_not_before ? &m->not_before : NULL,
		.not_after = m->has_not_after ? &m->not_after : NULL,
		.fleets = (const char *const *)m->fleets,
		.n_fleets = m->n_fleets,
		.min_agent_version = m->min_agent_version,
		.delegates = (const uint8_t(*)[TG_KEY_ID_LEN])m->delegates,
		.n_delegates = m->n_delegates,
		.base_model_sha256 = hash_of(m->tree, "base_model_sha256", base),
		.prev_package = hash_of(m->tree, "prev_package", prev),
		.provenance = tg_json_get(m->tree, "provenance"),
		.model_card = tg_json_get(m->tree, "model_card"),
		.policy = tg_json_get(m->tree, "policy"),
		.preprocessing = tg_json_get(m->tree, "preprocessing"),
		.custom = tg_json_get(m->tree, "custom"),
	};
	tg_buf_init(&out, input.n);
	if (!has_empty_list(m->tree) &&
	    (tgsp_manifest_write(&d, &out, NULL) != TG_OK ||
		!tg_bytes_equal(tg_buf_view(&out), input)))
		__builtin_trap();
	if (tgsp_content_hash(files, m->n_files, content, NULL) != TG_OK ||
	    memcmp(content, m->content_hash, 32) != 0)
		__builtin_trap();
	tg_buf_done(&out);
	free(files);
}

/* The rules of sections 1 and 2 again, in other words. */
static void
keeps_to_the_rules(const struct tgsp_manifest *m, uint64_t plain_len)
{
	uint64_t end = 0;

	for (size_t i = 0; i < m->n_files; i++) {
		const struct tg_package_file *f = &m->files[i].f;

		if (f->offset % 4096 != 0 || f->offset < end || f->offset - end > 4095 ||
		    tgsp_manifest_find(m, f->path) != i || f->path[0] == '/' ||
		    strstr(f->path, "//") != NULL || strncmp(f->path, "../", 3) == 0 ||
		    strstr(f->path, "/../") != NULL || strchr(f->path, '\\') != NULL ||
		    strlen(f->path) > 1024 || !tg_utf8_valid(tg_bytes_str(f->path)))
			__builtin_trap();
		end = f->offset + f->size;
	}
	if (end != plain_len)
		__builtin_trap();
	for (size_t i = 0; i < m->n_tensors; i++) {
		const struct tgsp_tensor *t = &m->tensors[i];
		const size_t at = tgsp_manifest_find(m, t->path);

		if (at == m->n_files || t->offset + t->size > m->files[at].f.size || t->rank > 8 ||
		    (i > 0 && strcmp(t[-1].name, t->name) >= 0))
			__builtin_trap();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const tg_bytes input = { p, n };
	struct tgsp_manifest *m = NULL;
	struct tg_error err = TG_ERROR_INIT;
	const tg_status s = tgsp_manifest_read(input, &m, &err);

	if (s != TG_OK) {
		if (err.status != s || err.text[0] == '\0' || m != NULL)
			__builtin_trap();
		return 0;
	}
	writes_back(m, input);
	const uint64_t plain_len = m->n_files == 0
	    ? 0
	    : m->files[m->n_files - 1].f.offset + m->files[m->n_files - 1].f.size;
	if (tgsp_manifest_check(m, plain_len, NULL) == TG_OK) {
		keeps_to_the_rules(m, plain_len);
		if (tgsp_manifest_check(m, plain_len + 1, NULL) == TG_OK)
			__builtin_trap();
	}
	tgsp_manifest_free(m);
	return 0;
}
