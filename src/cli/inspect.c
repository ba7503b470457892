/* What stands in a package, without any check of who wrote it: the report says so. */
#include "cli/cli.h"
#include "tgsp/envelope.h"
#include "util/file.h"
#include "util/text.h"
#include "util/try.h"

struct section {
	const char *name;
	uint64_t offset, size;
};

enum { HEADER, MANIFEST, RECIPIENTS, INDEX, PADDING, CIPHERTEXT, SIGNATURE, SECTIONS };

static void
sections(const struct tgsp_envelope *e, struct section s[static SECTIONS])
{
	const struct tgsp_frame *f = &e->frame;
	uint64_t at = TGSP_MAGIC_LEN + 4;

	s[HEADER] = (struct section){ "header", at, f->header.n };
	at += f->header.n + 4;
	s[MANIFEST] = (struct section){ "manifest", at, f->manifest.n };
	at += f->manifest.n + 4;
	s[RECIPIENTS] = (struct section){ "recipients", at, f->recipients.n };
	s[INDEX] = (struct section){ "index", e->layout.index_at, e->layout.index_len };
	s[PADDING] = (struct section){ "padding", e->layout.index_at + e->layout.index_len,
		e->layout.pad_len };
	s[CIPHERTEXT] = (struct section){ "ciphertext", e->layout.ct_at, e->layout.plain_len };
	s[SIGNATURE] = (struct section){ "signature", e->layout.ct_at + e->layout.plain_len + 4,
		f->signature.n };
}

/* ---- for people ---- */

static void
line(const char *label, const char *text)
{
	printf("  %-15s ", label);
	tg_print_text(stdout, text);
	putchar('\n');
}

static void
line_hex(const char *label, const uint8_t *p, size_t n)
{
	char text[2 * 32 + 1];

	tg_hex_encode(text, (tg_bytes){ p, n });
	line(label, text);
}

static void
line_time(const char *label, uint64_t t)
{
	printf("  %-15s %llu\n", label, (unsigned long long)t);
}

static void
print_manifest(const struct tgsp_envelope *e)
{
	const struct tgsp_manifest *m = e->manifest;

	printf("model\n");
	line("name", m->model_name);
	line("version", m->model_version);
	line("kind", m->kind);
	line("package_id", m->package_id);
	line_hex("package_hash", e->package_hash, 32);
	line_hex("content_hash", m->content_hash, 32);
	line_time("created_at", m->created_at);
	line_time("rollback_index", m->rollback_index);
	if (m->has_not_before)
		line_time("not_before", m->not_before);
	if (m->has_not_after)
		line_time("not_after", m->not_after);
	for (size_t i = 0; i < m->n_fleets; i++)
		line("target_fleet", m->fleets[i]);
	if (m->min_agent_version != NULL)
		line("min_agent", m->min_agent_version);
	for (size_t i = 0; i < m->n_delegates; i++)
		line_hex("delegate", m->delegates[i], TG_KEY_ID_LEN);
}

static void
print_keys(const struct tgsp_envelope *e)
{
	printf("keys\n");
	line_hex("author", e->signature.key_id, TG_KEY_ID_LEN);
	line_hex("recipients by", e->signature.recipients_key_id, TG_KEY_ID_LEN);
	for (size_t i = 0; i < e->recipients.n; i++)
		line_hex("recipient", e->recipients.at[i].id, TG_KEY_ID_LEN);
}

static void
print_sections(const struct tgsp_envelope *e)
{
	struct section s[SECTIONS];

	sections(e, s);
	printf("sections             offset        bytes\n");
	for (int i = 0; i < SECTIONS; i++)
		printf("  %-11s %13llu %12llu\n", s[i].name, (unsigned long long)s[i].offset,
		    (unsigned long long)s[i].size);
	printf("  %llu chunks of %u KiB\n", (unsigned long long)e->layout.chunks,
	    1u << e->layout.chunk_log2 >> 10);
}

static void
print_shape(const struct tgsp_tensor *t)
{
	printf("  %-8s [", t->dtype);
	for (unsigned i = 0; i < t->rank; i++)
		printf("%s%llu", i > 0 ? ", " : "", (unsigned long long)t->shape[i]);
	printf("]  ");
	tg_print_text(stdout, t->name);
	putchar('\n');
}

static void
print_contents(const struct tgsp_manifest *m, bool all_tensors)
{
	const size_t few = 12, shown = all_tensors || m->n_tensors <= few ? m->n_tensors : few - 1;

	printf("files\n");
	for (size_t i = 0; i < m->n_files; i++) {
		char size[24];

		printf("  %10s  %-13s ", tg_human_size(m->files[i].f.size, size),
		    m->files[i].f.format == NULL ? "-" : m->files[i].f.format);
		tg_print_text(stdout, m->files[i].f.path);
		putchar('\n');
	}
	if (m->n_tensors > 0)
		printf("tensors\n");
	for (size_t i = 0; i < shown; i++)
		print_shape(&m->tensors[i]);
	if (shown < m->n_tensors)
		printf("  ... and %zu more (--tensors lists all)\n", m->n_tensors - shown);
}

/* ---- for programs ---- */

static tg_status
section_json(const struct section *s, struct tg_json *list)
{
	struct tg_json *o = tg_json_new_object();

	if (o == NULL)
		return TG_E_NOMEM;
	tg_status st = tg_json_set(o, "name", tg_json_new_str(tg_bytes_str(s->name)));
	if (st == TG_OK)
		st = tg_json_set(o, "offset", tg_json_new_int((int64_t)s->offset));
	if (st == TG_OK)
		st = tg_json_set(o, "size", tg_json_new_int((int64_t)s->size));
	if (st != TG_OK) {
		tg_json_free(o);
		return st;
	}
	return tg_json_push(list, o);
}

static tg_status
sections_json(const struct tgsp_envelope *e, struct tg_json *o)
{
	struct tg_json *list = tg_json_new_array();
	struct section s[SECTIONS];
	tg_status st = list == NULL ? TG_E_NOMEM : TG_OK;

	sections(e, s);
	for (int i = 0; st == TG_OK && i < SECTIONS; i++)
		st = section_json(&s[i], list);
	if (st != TG_OK) {
		tg_json_free(list);
		return st;
	}
	return tg_json_set(o, "sections", list);
}

static tg_status
recipients_json(const struct tgsp_envelope *e, struct tg_json *o)
{
	struct tg_json *list = tg_json_new_array();

	for (size_t i = 0; list != NULL && i < e->recipients.n; i++)
		if (tg_json_push(list, tg_json_new_hex((tg_bytes){ e->recipients.at[i].id,
			TG_KEY_ID_LEN })) != TG_OK) {
			tg_json_free(list);
			return TG_E_NOMEM;
		}
	return tg_json_set(o, "recipients", list);
}

/* The manifest goes out whole: it is JSON already. */
static tg_status
print_json(const struct tgsp_envelope *e, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *o = tg_json_new_object();

	TG_REQUIRE(o != NULL && tg_json_set(o, "verified", tg_json_new_bool(false)) == TG_OK &&
		tg_json_set(o, "manifest", tg_json_copy(e->manifest->tree)) == TG_OK &&
		tg_json_set(o, "package_hash", tg_json_new_hex((tg_bytes){ e->package_hash, 32 })) ==
		    TG_OK &&
		tg_json_set(o, "content_hash",
		    tg_json_new_hex((tg_bytes){ e->manifest->content_hash, 32 })) == TG_OK &&
		tg_json_set(o, "signer",
		    tg_json_new_hex((tg_bytes){ e->signature.key_id, TG_KEY_ID_LEN })) == TG_OK &&
		tg_json_set(o, "recipients_signer",
		    tg_json_new_hex((tg_bytes){ e->signature.recipients_key_id, TG_KEY_ID_LEN })) ==
		    TG_OK &&
		tg_json_set(o, "chunk_log2", tg_json_new_int(e->layout.chunk_log2)) == TG_OK &&
		tg_json_set(o, "chunks", tg_json_new_int((int64_t)e->layout.chunks)) == TG_OK &&
		recipients_json(e, o) == TG_OK && sections_json(e, o) == TG_OK,
	    err, TG_E_NOMEM, "inspect: out of memory");
	return tg_print_json(o, err);
}

static tg_status
inspect(const char *path, bool json, bool all_tensors, struct tg_error *err)
{
	TG_AUTO(tg_file_closep) struct tg_file *file = NULL;
	TG_AUTO(tgsp_envelope_freep) struct tgsp_envelope *e = NULL;
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(tg_file_open(path, &file, err));
	const struct tg_source src = tg_file_source(file);
	tg_status s = tgsp_envelope_read(&src, &e, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", path, why.text);
	/* paths and tensors agree with each other, or the report could mislead */
	s = tgsp_manifest_check(e->manifest, e->header.plain_len, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", path, why.text);
	if (json)
		return print_json(e, err);
	tg_print_text(stdout, path);
	printf(": TGSP 1.0, NOT verified (anybody can write this; 'tensorguard verify' checks it)\n");
	print_manifest(e);
	print_keys(e);
	print_sections(e);
	print_contents(e->manifest, all_tensors);
	return TG_OK;
}

static tg_status
run(int argc, char **argv, struct tg_error *err)
{
	bool json = false, all_tensors = false, help = false;
	const struct tg_opt opts[] = {
		{ "tensors", TG_OPT_FLAG, &all_tensors, NULL, NULL, "list every tensor" },
		{ "json", TG_OPT_FLAG, &json, NULL, NULL, "report as JSON" },
	};
	const char *words[1];
	size_t n = 0;

	TG_TRY(tg_opts_parse(&tg_cmd_inspect, argc, argv, opts, TG_LEN(opts), words, 1, &n, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == 1, err, TG_E_USAGE, "a package is needed (try 'tensorguard inspect -h')");
	return inspect(words[0], json, all_tensors, err);
}

const struct tg_cmd tg_cmd_inspect = {
	.name = "inspect",
	.run = run,
	.synopsis = "PACKAGE [OPTION...]",
	.summary = "show what a package says of itself\n"
		   "Sections, signers, recipients, files and tensors, read strictly but not verified.",
	.example = "tensorguard inspect model.tgsp --json",
};
