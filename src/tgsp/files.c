#include "tgsp/files.h"

#include "crypto/hash.h"
#include "util/try.h"

/* Cuts the plaintext, which comes in order, at the borders of files. */
struct splitter {
	const struct tgsp_manifest *m;
	const struct tgsp_file_events *events; /* may be NULL */
	struct tg_sha256_stream *hash;         /* NULL: file hashes are not compared */
	size_t file;                           /* the current or next one */
	bool inside;
	uint64_t at; /* plaintext offset of the next byte */
};

static tg_status
file_begin(struct splitter *s, struct tg_error *err)
{
	s->inside = true;
	return s->events == NULL ? TG_OK
				 : s->events->begin(s->events->ctx, &s->m->files[s->file].f, err);
}

static tg_status
file_end(struct splitter *s, struct tg_error *err)
{
	const struct tg_package_file *f = &s->m->files[s->file].f;
	uint8_t got[32];

	if (s->hash != NULL) {
		TG_TRY(tg_sha256_finish(s->hash, got, err));
		TG_REQUIRE(memcmp(got, f->sha256, sizeof(got)) == 0, err, TG_E_AUTH,
		    "\"%s\": SHA-256 is not the one in the manifest", f->path);
	}
	s->inside = false;
	s->file++;
	return s->events == NULL ? TG_OK : s->events->end(s->events->ctx, f, err);
}

/* Begin and end what begins or ends at the current position; empty files do both. */
static tg_status
borders(struct splitter *s, struct tg_error *err)
{
	for (;;) {
		if (s->file == s->m->n_files)
			return TG_OK;
		const struct tg_package_file *f = &s->m->files[s->file].f;

		if (!s->inside && s->at == f->offset)
			TG_TRY(file_begin(s, err));
		else if (s->inside && s->at == f->offset + f->size)
			TG_TRY(file_end(s, err));
		else
			return TG_OK;
	}
}

static tg_status
gap_check(const struct splitter *s, const uint8_t *p, size_t n, struct tg_error *err)
{
	for (size_t i = 0; i < n; i++)
		TG_REQUIRE(p[i] == 0, err, TG_E_FORMAT,
		    "payload: plaintext byte %llu lies between files and is not 0",
		    (unsigned long long)(s->at + i));
	return TG_OK;
}

static tg_status
split(void *ctx, const void *data, size_t n, struct tg_error *err)
{
	struct splitter *s = ctx;
	const uint8_t *p = data;

	while (n > 0) {
		TG_TRY(borders(s, err));
		/* manifest.c has checked that files follow each other and end at plain_len */
		const struct tg_package_file *f = &s->m->files[s->file].f;
		const uint64_t border = s->inside ? f->offset + f->size : f->offset;
		const size_t run = border - s->at < n ? (size_t)(border - s->at) : n;

		if (!s->inside) {
			TG_TRY(gap_check(s, p, run, err));
		} else {
			if (s->hash != NULL)
				TG_TRY(tg_sha256_put(s->hash, p, run, err));
			if (s->events != NULL)
				TG_TRY(s->events->data(s->events->ctx, p, run, err));
		}
		s->at += run;
		p += run;
		n -= run;
	}
	return borders(s, err);
}

tg_status
tgsp_files_read(const struct tgsp_reader *r, bool check_files,
    const struct tgsp_file_events *events, struct tg_error *err)
{
	TG_AUTO(tg_sha256_freep) struct tg_sha256_stream *hash = NULL;
	struct splitter s = { .m = r->manifest, .events = events };
	const struct tg_sink sink = { split, &s };

	if (check_files)
		TG_TRY(tg_sha256_new(&hash, err));
	s.hash = hash;
	TG_TRY(tgsp_payload_read(r->payload, r->key, 0, r->payload->layout.plain_len, r->threads, &sink,
	    r->progress, err));
	TG_TRY(borders(&s, err)); /* a package of nothing but empty files */
	TG_REQUIRE(s.file == r->manifest->n_files, err, TG_E_INTERNAL, "payload ended within a file");
	return TG_OK;
}
