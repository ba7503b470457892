/* What goes in comes out: sizes around every boundary, files of every kind, all ways to read. */
#include "pack.h"

#include "crypto/hash.h"
#include "tgsp/layout.h"

static struct tg_key *signer, *to;
static struct tg_trust *trust;

struct set {
	const char *name;
	size_t n;
	size_t size[8];
};

#define CHUNK 65536

static const struct set sets[] = {
	{ "no file at all", 0, { 0 } },
	{ "one empty file", 1, { 0 } },
	{ "one byte", 1, { 1 } },
	{ "a byte less than a page", 1, { 4095 } },
	{ "a page", 1, { 4096 } },
	{ "a page and a byte", 1, { 4097 } },
	{ "a byte less than a chunk", 1, { CHUNK - 1 } },
	{ "a chunk", 1, { CHUNK } },
	{ "a chunk and a byte", 1, { CHUNK + 1 } },
	{ "a byte less than four chunks", 1, { 4 * CHUNK - 1 } },
	{ "four chunks", 1, { 4 * CHUNK } },
	{ "four chunks and a byte", 1, { 4 * CHUNK + 1 } },
	{ "nine chunks and a bit", 1, { 9 * CHUNK + 77 } },
	{ "10, 0 and 5 bytes", 3, { 10, 0, 5 } },
	{ "empty first", 2, { 0, 100 } },
	{ "empty last", 2, { 100, 0 } },
	{ "empty in the middle", 3, { 100, 0, 100 } },
	{ "only empty files", 5, { 0, 0, 0, 0, 0 } },
	{ "empty last behind a whole page", 2, { 4096, 0 } },
	{ "empty last behind a whole chunk", 2, { CHUNK, 0 } },
	{ "two empty behind four chunks", 3, { 4 * CHUNK, 0, 0 } },
	{ "a file ends with its chunk", 3, { CHUNK, CHUNK, 1 } },
	{ "a gap over the border of chunks", 2, { CHUNK - 4000, 4000 } },
	{ "a gap up to the border of chunks", 2, { CHUNK - 1, 1 } },
	{ "small files in one chunk", 8, { 1, 2, 3, 4095, 4096, 4097, 0, 5 } },
	{ "large and small", 5, { 3 * CHUNK, 1, 2 * CHUNK + 1, 0, CHUNK - 1 } },
};

static const char *const paths[8] = { "B", "a", "a-b/1", "a-b/2/x", "a.bin", "bb/c/d/e", "c",
	"\xc3\xa9" };

/* The plaintext as section 1 of the protocol lays it out. */
struct plain {
	struct mem_file file[8];
	size_t n;
	struct tg_buf bytes;
	uint64_t offset[8];
};

static void
plain_make(struct plain *p, const struct set *set)
{
	uint64_t end = 0;

	*p = (struct plain){ .n = set->n };
	tg_buf_init(&p->bytes, SIZE_MAX);
	for (size_t i = 0; i < set->n; i++) {
		static const uint8_t zeros[4096];

		p->file[i] = (struct mem_file){ paths[i], filled(set->size[i], (uint32_t)i + 1) };
		p->offset[i] = (end + 4095) / 4096 * 4096;
		put(&p->bytes, zeros, (size_t)(p->offset[i] - end));
		put_view(&p->bytes, p->file[i].data);
		end = p->offset[i] + set->size[i];
	}
}

static void
plain_done(struct plain *p)
{
	for (size_t i = 0; i < p->n; i++)
		free((void *)(uintptr_t)p->file[i].data.p);
	tg_buf_done(&p->bytes);
}

static tg_bytes
package_of(struct plain *p, unsigned threads)
{
	const struct tg_key *recipients[] = { to };
	const struct tg_build_spec spec = { .signer = signer,
		.recipients = recipients,
		.n_recipients = 1,
		.created_at = 1700000000,
		.threads = threads,
		.allow_code = 1 };
	struct mem_file backwards[8];
	struct tg_build_result r;
	tg_bytes ret = { NULL, 0 };

	for (size_t i = 0; i < p->n; i++)
		backwards[i] = p->file[p->n - 1 - i];
	MUST(pack(spec, backwards, p->n, &r, &ret, err));
	if (r.plain_len != p->bytes.n || r.package_size != ret.n)
		printf("# plain_len %llu, %zu expected\n", (unsigned long long)r.plain_len,
		    p->bytes.n);
	return ret;
}

/* ---- every way to read ---- */

static bool
files_are_listed(const struct tg_package *p, const struct plain *want)
{
	bool good = tg_package_file_count(p) == want->n && tg_package_plain_len(p) == want->bytes.n;

	for (size_t i = 0; good && i < want->n; i++) {
		const struct tg_package_file f = tg_package_file(p, i);
		size_t found = SIZE_MAX;
		uint8_t hash[32];

		MUST(tg_sha256(&want->file[i].data, 1, hash, err));
		good = strcmp(f.path, paths[i]) == 0 && f.offset == want->offset[i] &&
		    f.size == want->file[i].data.n && memcmp(f.sha256, hash, 32) == 0 &&
		    tg_package_find(p, paths[i], &found, NULL) == TG_OK && found == i;
	}
	return good;
}

static bool
files_load(const struct tg_package *p, const struct plain *want, unsigned threads)
{
	bool good = true;

	for (size_t i = 0; good && i < want->n; i++) {
		struct tg_secret *s = NULL;
		const tg_status st = tg_package_load(p, i, threads, &s, NULL);

		if (want->file[i].data.n == 0)
			good = st == TG_E_USAGE && s == NULL;
		else
			good = st == TG_OK &&
			    tg_bytes_equal(want->file[i].data,
				(tg_bytes){ tg_secret_bytes(s), tg_secret_len(s) });
		tg_secret_free(s);
	}
	return good;
}

static bool
files_copy(const struct tg_package *p, const struct plain *want, unsigned threads)
{
	bool good = true;

	for (size_t i = 0; good && i < want->n; i++) {
		struct tg_buf got;
		const struct tg_sink sink = keep_in(&got);
		struct tg_error e = TG_ERROR_INIT;

		good = tg_package_copy(p, i, threads, &sink, NULL, &e) == TG_OK &&
		    tg_bytes_equal(tg_buf_view(&got), want->file[i].data);
		if (!good)
			printf("# file %zu: %s\n", i, e.text);
		tg_buf_done(&got);
	}
	return good;
}

static bool
one_range(const struct tg_package *p, const struct plain *want, uint64_t from, size_t n)
{
	uint8_t *got = malloc(n + 1);
	bool good;

	if (got == NULL)
		abort();
	got[n] = 0x5a;
	good = tg_package_read(p, from, got, n, NULL) == TG_OK &&
	    (n == 0 || memcmp(got, want->bytes.p + from, n) == 0) && got[n] == 0x5a;
	if (!good)
		printf("# range of %zu at %llu\n", n, (unsigned long long)from);
	free(got);
	return good;
}

static bool
ranges_read(const struct tg_package *p, const struct plain *want)
{
	const size_t n = want->bytes.n;
	uint32_t v = (uint32_t)n + 1;
	bool good = one_range(p, want, 0, n) && one_range(p, want, n, 0) &&
	    one_range(p, want, 0, 0) && one_range(p, want, n / 2, n - n / 2);
	uint8_t byte;

	for (size_t at = 0; good && at < n; at += CHUNK)
		good = one_range(p, want, at, 1) && one_range(p, want, at, 0) &&
		    (at == 0 || one_range(p, want, at - 1, 1)) &&
		    (at == 0 || n - at < 2 || one_range(p, want, at - 1, 2));
	for (int i = 0; good && n > 0 && i < 12; i++) {
		v = v * 1664525u + 1013904223u;
		const size_t from = v % n;
		v = v * 1664525u + 1013904223u;
		good = one_range(p, want, from, v % (n - from + 1));
	}
	return good && tg_package_read(p, n, &byte, 1, NULL) == TG_E_USAGE &&
	    tg_package_read(p, (uint64_t)n + 1, &byte, 0, NULL) == TG_E_USAGE &&
	    tg_package_read(p, UINT64_MAX, &byte, 2, NULL) == TG_E_USAGE &&
	    tg_package_read(p, 0, &byte, SIZE_MAX, NULL) == TG_E_USAGE;
}

/* ---- our own reader of tar streams ---- */

static unsigned long long
octal(const uint8_t *p, size_t n)
{
	unsigned long long v = 0;

	for (size_t i = 0; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (unsigned)(p[i] - '0');
	return v;
}

static bool
zeros(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/* One member: what section 5 of the protocol fixes, and the name and size. */
static bool
tar_header(const uint8_t *h, char name[static 257], size_t *size)
{
	unsigned sum = 0;

	for (size_t i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : h[i];
	(void)snprintf(name, 257, "%.155s%s%.100s", (const char *)h + 345, h[345] != 0 ? "/" : "",
	    (const char *)h);
	*size = (size_t)octal(h + 124, 12);
	return memcmp(h + 257,
		   "ustar\0"
		   "00",
		   8) == 0 &&
	    octal(h + 148, 8) == sum && octal(h + 100, 8) == 0644 && octal(h + 108, 8) == 0 &&
	    octal(h + 116, 8) == 0 && octal(h + 136, 12) == 1577836800 && h[156] == '0' &&
	    zeros(h + 265, 64) && zeros(h + 157, 100);
}

static bool
tar_is(tg_bytes tar, const struct plain *want)
{
	size_t at = 0;

	for (size_t i = 0; i < want->n; i++) {
		char name[257];
		size_t size = 0;
		const tg_bytes data = want->file[i].data;

		if (tar.n - at < 512 || !tar_header(tar.p + at, name, &size) ||
		    strcmp(name, paths[i]) != 0 || size != data.n)
			return false;
		at += 512;
		const size_t padded = (size + 511) / 512 * 512;
		if (tar.n - at < padded || (size > 0 && memcmp(tar.p + at, data.p, size) != 0) ||
		    !zeros(tar.p + at + size, padded - size))
			return false;
		at += padded;
	}
	return tar.n - at == 1024 && zeros(tar.p + at, 1024);
}

static bool
tar_streams(const struct tg_package *p, const struct plain *want, unsigned threads)
{
	struct tg_buf got;
	const struct tg_sink sink = keep_in(&got);
	const bool good = tg_package_tar(p, threads, &sink, NULL, NULL) == TG_OK &&
	    tar_is(tg_buf_view(&got), want);

	tg_buf_done(&got);
	return good;
}

/* ---- all of it ---- */

static void
nothing_before_unlocking(const struct tg_package *p, const struct set *set)
{
	struct tg_secret *s = NULL;
	size_t delivered = 0;
	const struct tg_sink sink = { sink_count, &delivered };
	uint8_t byte;

	named(tg_package_read(p, 0, &byte, 0, NULL) == TG_E_USAGE &&
		tg_package_tar(p, 1, &sink, NULL, NULL) == TG_E_USAGE &&
		tg_package_verify_files(p, 1, NULL, NULL) == TG_E_USAGE &&
		(set->n == 0 ||
		    (tg_package_load(p, 0, 1, &s, NULL) == TG_E_USAGE &&
			tg_package_copy(p, 0, 1, &sink, NULL, NULL) == TG_E_USAGE)) &&
		delivered == 0,
	    "%s: nothing is read before unlocking", set->name);
}

static void
roundtrip(const struct set *set, unsigned threads)
{
	const struct tg_policy policy = easy_policy();
	struct plain want;
	struct tg_package *p = NULL;

	plain_make(&want, set);
	const tg_bytes bytes = package_of(&want, threads);
	const struct tg_source src = tg_source_bytes(&bytes);
	MUST(tg_package_open(&src, trust, &p, err));
	if (threads == 1)
		nothing_before_unlocking(p, set);
	named(tg_package_verify(p, threads, NULL, NULL) == TG_OK, "%s, %u threads: verifies",
	    set->name, threads);
	MUST(tg_package_unlock(p, to, &policy, err));
	named(files_are_listed(p, &want), "%s, %u threads: files are listed", set->name, threads);
	named(tg_package_verify_files(p, threads, NULL, NULL) == TG_OK,
	    "%s, %u threads: file hashes hold", set->name, threads);
	named(files_load(p, &want, threads), "%s, %u threads: load", set->name, threads);
	named(files_copy(p, &want, threads), "%s, %u threads: copy", set->name, threads);
	named(ranges_read(p, &want), "%s, %u threads: ranges", set->name, threads);
	named(tar_streams(p, &want, threads), "%s, %u threads: tar", set->name, threads);
	tg_package_close(p);
	free((void *)(uintptr_t)bytes.p);
	plain_done(&want);
}

/* What the progress of a build and of reading says: never backwards, and in the end all. */
struct seen {
	uint64_t done, total;
	bool bad;
};

static void
see(void *ctx, uint64_t done, uint64_t total)
{
	struct seen *s = ctx;

	s->bad |= done < s->done || done > total;
	s->done = done;
	s->total = total;
}

static void
progress_ends_at_the_total(void)
{
	static const struct set set = { "progress", 3, { 5 * CHUNK, 100, CHUNK } };
	struct seen seen = { 0, 0, false };
	const struct tg_progress progress = { see, &seen };
	const struct tg_key *recipients[] = { to };
	const struct tg_build_spec spec = { .signer = signer,
		.recipients = recipients,
		.n_recipients = 1,
		.threads = 2,
		.progress = &progress };
	struct plain want;
	struct tg_package *p = NULL;
	tg_bytes bytes = { NULL, 0 };

	plain_make(&want, &set);
	MUST(pack(spec, want.file, want.n, NULL, &bytes, err));
	OK(!seen.bad && seen.done > 0 && seen.done == seen.total);
	const struct tg_source src = tg_source_bytes(&bytes);
	MUST(tg_package_open(&src, trust, &p, err));
	seen = (struct seen){ 0, 0, false };
	OK_STATUS(tg_package_verify(p, 2, &progress, NULL), TG_OK);
	OK(!seen.bad && seen.done == want.bytes.n && seen.total == want.bytes.n);
	tg_package_close(p);
	free((void *)(uintptr_t)bytes.p);
	plain_done(&want);
}

static void
unknown_file_is_not_found(void)
{
	struct plain want;
	struct tg_package *p = NULL;
	size_t i = 77;

	plain_make(&want, &sets[13]);
	const tg_bytes bytes = package_of(&want, 1);
	const struct tg_source src = tg_source_bytes(&bytes);
	MUST(tg_package_open(&src, trust, &p, err));
	OK_STATUS(tg_package_find(p, "A", &i, NULL), TG_E_NOTFOUND);
	OK_STATUS(tg_package_find(p, "", &i, NULL), TG_E_NOTFOUND);
	OK_STATUS(tg_package_find(p, "a-b", &i, NULL), TG_E_NOTFOUND);
	OK(i == 77);
	tg_package_close(p);
	free((void *)(uintptr_t)bytes.p);
	plain_done(&want);
}

int
main(void)
{
	struct tg_key *author;

	author = signer = vector_signer();
	to = vector_recipient();
	trust = trust_of(author, NULL);
	for (size_t i = 0; i < TG_LEN(sets); i++)
		for (unsigned threads = 1; threads <= 3; threads++)
			roundtrip(&sets[i], threads);
	progress_ends_at_the_total();
	unknown_file_is_not_found();
	tg_trust_free(trust);
	tg_key_free(signer);
	tg_key_free(to);
	return tap_done();
}
