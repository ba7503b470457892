/* tensor/window.h - small reads out of a big source, through one buffer. */
#ifndef TG_TENSOR_WINDOW_H
#define TG_TENSOR_WINDOW_H

#include "util/bytes.h"

#define TG_WINDOW_SIZE 4096u

/* Holds no more than its own bytes: lives on the stack, needs no release. One user at a time. */
struct tg_window {
	const struct tg_source *src; /* borrowed */
	uint64_t at;                 /* where buf lies in the source */
	size_t n;
	uint8_t buf[TG_WINDOW_SIZE];
};

void tg_window_init(struct tg_window *w, const struct tg_source *src);
/* Copy n bytes. TG_E_FORMAT when the source ends before them. */
TG_MUST_CHECK tg_status tg_window_read(struct tg_window *w, uint64_t offset, void *to, size_t n,
    struct tg_error *err);
/* A little-endian number of 1 ... 8 bytes. */
TG_MUST_CHECK tg_status tg_window_le(struct tg_window *w, uint64_t offset, size_t width,
    uint64_t *ret, struct tg_error *err);
/* Borrow what is buffered from offset on: at least a byte, until the next call. TG_E_FORMAT when
 * the source ends there. */
TG_MUST_CHECK tg_status tg_window_view(struct tg_window *w, uint64_t offset, tg_bytes *ret,
    struct tg_error *err);
/* True when the n bytes at offset are there and equal; *ret is the answer, the status a failure to
 * read. */
TG_MUST_CHECK tg_status tg_window_match(struct tg_window *w, uint64_t offset, tg_bytes want,
    bool *ret, struct tg_error *err);

#endif
