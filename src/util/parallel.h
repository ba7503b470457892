/* util/parallel.h - many alike pieces of work on all cores, in order where order matters. */
#ifndef TG_UTIL_PARALLEL_H
#define TG_UTIL_PARALLEL_H

#include <stdbool.h>
#include <stdint.h>
#include <tensorguard/error.h>

/*
 * Each item 0 ... n-1 passes three stages. `take` and `give` run one at a time and in item order
 * (read the next piece, write the next piece); `work` runs on all threads at once. `slot` is the
 * thread's own scratch memory: what take leaves in it, work and give of the same item find.
 * take and give may be NULL.
 */
struct tg_parallel {
	tg_status (*take)(void *ctx, void *slot, uint64_t item, struct tg_error *err);
	tg_status (*work)(void *ctx, void *slot, uint64_t item, struct tg_error *err);
	tg_status (*give)(void *ctx, void *slot, uint64_t item, struct tg_error *err);
	void *ctx;
	uint64_t n; /* items; an upper bound with `end` */
	/* NULL, or set by take when there is no such item, nor any behind it. */
	const bool *end;
};

/* What the machine offers this process, 1 ... TG_MAX_THREADS. */
unsigned tg_parallel_cores(void);

/*
 * Run all items on `threads` threads, slots[t] being thread t's scratch. Returns the failure of
 * the first item in order that failed, whatever the timing; items before it have been given.
 */
TG_MUST_CHECK tg_status tg_parallel_run(const struct tg_parallel *p, unsigned threads,
    void *const slots[], struct tg_error *err);

#endif
