/* POSIX.1-1988 ustar, and one pax extended header (POSIX.1-2001) where a path or a size does not
 * fit. Everything but path, size and content is fixed: docs/PROTOCOL.tgsp.md section 5. */
#include <stdio.h>

#include "tgsp/files.h"
#include "util/try.h"

#define BLOCK     512
#define NAME_LEN  100
#define PREFIX_LEN 155
#define SIZE_MAX_OCTAL 077777777777ull

struct tar {
	const struct tg_sink *to;
};

static tg_status
put(const struct tar *t, const void *p, size_t n, struct tg_error *err)
{
	return t->to->write(t->to->ctx, p, n, err);
}

/* Zeros up to the next block. */
static tg_status
pad(const struct tar *t, uint64_t n, struct tg_error *err)
{
	static const uint8_t zeros[BLOCK];

	return n % BLOCK == 0 ? TG_OK : put(t, zeros, (size_t)(BLOCK - n % BLOCK), err);
}

/* Split the path at a slash so that both parts fit; false when they cannot. */
static bool
split_path(const char *path, tg_bytes *ret_prefix, tg_bytes *ret_name)
{
	const size_t n = strlen(path);
	size_t cut = 0;

	if (n > NAME_LEN) {
		for (cut = n - NAME_LEN - 1; cut < n && path[cut] != '/'; cut++)
			;
		if (cut == n || cut > PREFIX_LEN || cut == 0)
			return false;
	}
	*ret_prefix = (tg_bytes){ (const uint8_t *)path, cut };
	*ret_name = cut == 0 ? tg_bytes_str(path) : tg_bytes_str(path + cut + 1);
	return true;
}

static void
octal(uint8_t *field, size_t len, uint64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%0*llo", (int)len - 1, (unsigned long long)v);
	memcpy(field, text, len); /* with its NUL */
}

static tg_status
header(const struct tar *t, tg_bytes prefix, tg_bytes name, uint64_t size, char type,
    struct tg_error *err)
{
	uint8_t h[BLOCK] = { 0 };
	unsigned sum = 0;

	memcpy(h, name.p, name.n);
	octal(h + 100, 8, 0644);
	octal(h + 108, 8, 0);
	octal(h + 116, 8, 0);
	octal(h + 124, 12, size);
	octal(h + 136, 12, TGSP_MTIME);
	memset(h + 148, ' ', 8);
	h[156] = (uint8_t)type;
	memcpy(h + 257, "ustar\00000", 8);
	if (prefix.n > 0)
		memcpy(h + 345, prefix.p, prefix.n);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += h[i];
	octal(h + 148, 7, sum);
	return put(t, h, sizeof(h), err);
}

/* "LEN key=value\n", where LEN counts itself. */
static size_t
pax_record(char *out, size_t max, const char *key, const char *value)
{
	const size_t rest = strlen(key) + strlen(value) + 3; /* blank, '=', newline */
	size_t len = rest + 1;

	for (size_t digits; (digits = (size_t)snprintf(NULL, 0, "%zu", len)) + rest != len;)
		len = rest + digits;
	(void)snprintf(out, max, "%zu %s=%s\n", len, key, value);
	return len;
}

static tg_status
pax(const struct tar *t, const char *path, uint64_t size, struct tg_error *err)
{
	char text[1200], number[24];
	size_t n = 0;

	if (path != NULL)
		n += pax_record(text, sizeof(text), "path", path);
	if (size > SIZE_MAX_OCTAL) {
		(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)size);
		n += pax_record(text + n, sizeof(text) - n, "size", number);
	}
	TG_TRY(header(t, (tg_bytes){ NULL, 0 }, tg_bytes_str("pax_header"), n, 'x', err));
	TG_TRY(put(t, text, n, err));
	return pad(t, n, err);
}

static tg_status
tar_begin(void *ctx, const struct tg_package_file *f, struct tg_error *err)
{
	struct tar *t = ctx;
	tg_bytes prefix = { NULL, 0 }, name = { (const uint8_t *)f->path, NAME_LEN };
	const bool fits = split_path(f->path, &prefix, &name);

	if (!fits || f->size > SIZE_MAX_OCTAL)
		TG_TRY(pax(t, fits ? NULL : f->path, f->size, err));
	return header(t, prefix, name, f->size > SIZE_MAX_OCTAL ? 0 : f->size, '0', err);
}

static tg_status
tar_data(void *ctx, const uint8_t *p, size_t n, struct tg_error *err)
{
	return put(ctx, p, n, err);
}

static tg_status
tar_end(void *ctx, const struct tg_package_file *f, struct tg_error *err)
{
	return pad(ctx, f->size, err);
}

tg_status
tgsp_tar(const struct tgsp_reader *r, const struct tg_sink *to, struct tg_error *err)
{
	static const uint8_t end[2 * BLOCK];
	struct tar t = { .to = to };
	const struct tgsp_file_events events = { tar_begin, tar_data, tar_end, &t };

	/* A stream is released chunk by chunk, before any file is complete, so that comparing file
	 * hashes could not hold anything back: leaf and tag are what binds each byte. */
	TG_TRY(tgsp_files_read(r, false, &events, err));
	return put(&t, end, sizeof(end), err);
}
