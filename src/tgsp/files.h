/* tgsp/files.h - a payload's plaintext as the files it is made of. */
#ifndef TG_TGSP_FILES_H
#define TG_TGSP_FILES_H

#include "tgsp/manifest.h"
#include "tgsp/payload.h"

/* Told of each file in turn; data comes in order and only after its chunk has passed. */
struct tgsp_file_events {
	tg_status (*begin)(void *ctx, const struct tg_package_file *f, struct tg_error *err);
	tg_status (*data)(void *ctx, const uint8_t *p, size_t n, struct tg_error *err);
	tg_status (*end)(void *ctx, const struct tg_package_file *f, struct tg_error *err);
	void *ctx;
};

/*
 * The whole package: every file, and every gap between files is zero. With check_files each
 * file's SHA-256 is compared before its end is told; events may be NULL then.
 */
struct tgsp_reader {
	const struct tgsp_payload *payload;
	const struct tgsp_manifest *manifest;
	const struct tg_key32 *key;
	unsigned threads; /* 0: all cores */
	const struct tg_progress *progress;
};
TG_MUST_CHECK tg_status tgsp_files_read(const struct tgsp_reader *r, bool check_files,
    const struct tgsp_file_events *events, struct tg_error *err);

/* tgsp/tar.c: all files as a ustar stream. */
TG_MUST_CHECK tg_status tgsp_tar(const struct tgsp_reader *r, const struct tg_sink *to,
    struct tg_error *err);
/* tgsp/extract.c: all files into a folder. */
TG_MUST_CHECK tg_status tgsp_extract(const struct tgsp_reader *r, const char *dir, bool force,
    struct tg_error *err);

/* 2020-01-01 00:00:00 UTC: the time of every extracted file */
#define TGSP_MTIME 1577836800

#endif
