/* bench/measure.h - timing for programs that print ratios: CPU seconds, best of several rounds. */
#ifndef TG_BENCH_MEASURE_H
#define TG_BENCH_MEASURE_H

#include <stdint.h>

/* What one run took. */
struct cost {
	double cpu;  /* seconds of user and system time, children included where said */
	double wall; /* seconds */
	long rss_kib; /* peak, of a child process; 0 for work in this one */
};

/* This process, all threads. */
struct cost cost_now(void);
struct cost cost_since(struct cost from);
/* The smaller of each part. */
struct cost cost_best(struct cost a, struct cost b);

/* Run a program, standard output to `out` (NULL: /dev/null); its own cost. Ends this process with
 * a message unless it exits 0. argv ends with NULL. */
struct cost cost_of_program(const char *out, const char *const argv[]);

/* MB per CPU-second, and per second. */
static inline double
mb_per_cpu(uint64_t bytes, struct cost c)
{
	return (double)bytes / 1e6 / c.cpu;
}
static inline double
mb_per_s(uint64_t bytes, struct cost c)
{
	return (double)bytes / 1e6 / c.wall;
}

#endif
