/* tensorguard/io.h - how bytes come into the library and leave it. */
#ifndef TENSORGUARD_IO_H
#define TENSORGUARD_IO_H

#include <stddef.h>
#include <stdint.h>
#include <tensorguard/error.h>

TG_BEGIN_DECLS

/* A read-only view. Borrowed: valid while the memory it points into is. */
typedef struct tg_bytes {
	const uint8_t *p;
	size_t n;
} tg_bytes;

/*
 * Random-access input of a known size. read_at fills all n bytes or fails; it is called from
 * several threads at once, and never past `size`. The struct is borrowed, and may be copied.
 */
struct tg_source {
	tg_status (*read_at)(void *ctx, void *buf, size_t n, uint64_t offset, struct tg_error *err);
	void *ctx;
	uint64_t size; /* bytes */
};

/* Random-access output. write_at writes all n bytes or fails; called from several threads. */
struct tg_target {
	tg_status (*write_at)(void *ctx, const void *p, size_t n, uint64_t offset,
	    struct tg_error *err);
	void *ctx;
};

/* Sequential output. Takes all n bytes or fails; one call at a time. */
struct tg_sink {
	tg_status (*write)(void *ctx, const void *p, size_t n, struct tg_error *err);
	void *ctx;
};

/*
 * Told of work done, in bytes, from whichever thread did it, one call at a time.
 * A NULL pointer to this struct, where a function takes one, means nobody is watching.
 */
struct tg_progress {
	void (*step)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
};

/* A source over memory. `*view` is borrowed for as long as the source is used. */
TG_API struct tg_source tg_source_bytes(const tg_bytes *view);

TG_END_DECLS
#endif
