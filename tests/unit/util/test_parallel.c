#include "../../tap.h"
#include "util/parallel.h"
#include "util/try.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <tensorguard/limits.h>
#include <unistd.h>

#define ITEMS 700

struct job {
	atomic_uint taking, giving, working, most_working;
	atomic_ulong broken; /* rules that were seen broken */
	uint64_t next_take, next_give;
	atomic_uchar worked[ITEMS];
	/* failures: item -> stage ('t', 'w', 'g'), 0 for none */
	char fails[ITEMS];
	bool dawdle; /* the earlier an item, the longer its work takes */
};

static tg_status
step(struct job *j, char stage, uint64_t item, struct tg_error *err)
{
	if (j->fails[item] == stage)
		return tg_fail(err, TG_E_AUTH, "item %llu at %c", (unsigned long long)item, stage);
	return TG_OK;
}

static tg_status
take(void *ctx, void *slot, uint64_t item, struct tg_error *err)
{
	struct job *j = ctx;

	j->broken += atomic_fetch_add(&j->taking, 1) != 0;
	j->broken += item != j->next_take++;
	*(uint64_t *)slot = item;
	atomic_fetch_sub(&j->taking, 1);
	return step(j, 't', item, err);
}

static tg_status
work(void *ctx, void *slot, uint64_t item, struct tg_error *err)
{
	struct job *j = ctx;
	const unsigned now = atomic_fetch_add(&j->working, 1) + 1;

	if (now > atomic_load(&j->most_working))
		atomic_store(&j->most_working, now);
	j->broken += *(uint64_t *)slot != item;
	*(uint64_t *)slot = item * 3 + 1;
	j->broken += atomic_fetch_add(&j->worked[item], 1) != 0;
	if (j->dawdle && item % 8 == 0)
		usleep(200);
	else if (item % 3 == 0)
		sched_yield();
	atomic_fetch_sub(&j->working, 1);
	return step(j, 'w', item, err);
}

static tg_status
give(void *ctx, void *slot, uint64_t item, struct tg_error *err)
{
	struct job *j = ctx;
	tg_status s;

	j->broken += atomic_fetch_add(&j->giving, 1) != 0;
	j->broken += item != j->next_give;
	j->broken += *(uint64_t *)slot != item * 3 + 1;
	s = step(j, 'g', item, err);
	if (s == TG_OK)
		j->next_give++;
	atomic_fetch_sub(&j->giving, 1);
	return s;
}

static tg_status
run(struct job *j, uint64_t n, unsigned threads, struct tg_error *err)
{
	static uint64_t slot[TG_MAX_THREADS][8]; /* a cache line each */
	void *slots[TG_MAX_THREADS];
	const struct tg_parallel p = { take, work, give, j, n, NULL };

	for (unsigned i = 0; i < TG_MAX_THREADS; i++)
		slots[i] = slot[i];
	return tg_parallel_run(&p, threads, slots, err);
}

static void
all_items_in_order(void)
{
	static const uint64_t sizes[] = { 0, 1, 2, 3, 7, 8, 9, 64, ITEMS };
	unsigned long wrong = 0, n = 0;

	for (size_t i = 0; i < TG_LEN(sizes); i++)
		for (unsigned threads = 0; threads <= 8; threads++, n++) {
			struct job *j = calloc(1, sizeof(*j));

			wrong += run(j, sizes[i], threads, NULL) != TG_OK;
			wrong +=
			    j->broken != 0 || j->next_take != sizes[i] || j->next_give != sizes[i];
			wrong += j->most_working > (threads == 0 ? 1 : threads);
			for (uint64_t k = 0; k < sizes[i]; k++)
				wrong += j->worked[k] != 1;
			free(j);
		}
	OK_NONE(wrong, n, "runs");
}

/* The first item in order that fails decides, even when a later one failed long before it. */
static void
the_earliest_failure_wins(void)
{
	static const char stages[] = { 't', 'w', 'g' };
	unsigned long wrong = 0, n = 0;

	for (unsigned threads = 1; threads <= 8; threads++)
		for (size_t a = 0; a < 3; a++)
			for (size_t b = 0; b < 3; b++)
				for (unsigned first = 0; first < 24; first += 8, n++) {
					struct job *j = calloc(1, sizeof(*j));
					struct tg_error err = TG_ERROR_INIT;
					char want[32];

					j->dawdle = true;
					j->fails[first] = stages[a];
					for (unsigned k = 1; k < 8; k++)
						j->fails[first + k] = stages[b];
					(void)snprintf(
					    want, sizeof(want), "item %u at %c", first, stages[a]);
					wrong += run(j, 100, threads, &err) != TG_E_AUTH;
					wrong += strcmp(err.text, want) != 0;
					/* all before it have been given, and nothing behind it */
					wrong += j->next_give != first || j->broken != 0;
					free(j);
				}
	OK_NONE(wrong, n, "runs");
}

/* Nothing new is begun behind a failure. */
static void
a_failure_ends_the_taking(void)
{
	for (unsigned threads = 1; threads <= 4; threads++) {
		struct job *j = calloc(1, sizeof(*j));

		j->fails[10] = 't';
		OK_STATUS(run(j, ITEMS, threads, NULL), TG_E_AUTH);
		OK(j->next_take == 11 && j->next_give == 10);
		free(j);
	}
}

static void
stages_may_be_missing(void)
{
	for (unsigned threads = 1; threads <= 8; threads++) {
		uint64_t slot[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };
		void *slots[8];
		struct job *j = calloc(1, sizeof(*j));
		struct tg_parallel p = { NULL, work, NULL, j, 1, NULL };

		for (unsigned i = 0; i < 8; i++)
			slots[i] = &slot[i];
		OK_STATUS(tg_parallel_run(&p, threads, slots, NULL), TG_OK);
		OK(j->worked[0] == 1);
		free(j);
	}
}

static tg_status
count_only(void *ctx, void *slot, uint64_t item, struct tg_error *err)
{
	(void)slot, (void)err;
	atomic_fetch_add((atomic_ulong *)ctx, item);
	return TG_OK;
}

static void
many_threads_and_many_items(void)
{
	atomic_ulong sum = 0;
	void *slots[TG_MAX_THREADS] = { NULL };
	const struct tg_parallel p = { NULL, count_only, NULL, &sum, 20000, NULL };

	OK_STATUS(tg_parallel_run(&p, TG_MAX_THREADS, slots, NULL), TG_OK);
	OK(sum == 20000ul * 19999 / 2);
	sum = 0;
	OK_STATUS(
	    tg_parallel_run(&p, 10000, slots, NULL), TG_OK); /* no more than there are slots */
	OK(sum == 20000ul * 19999 / 2);
}

static void
cores_are_what_the_process_may_use(void)
{
	cpu_set_t one;
	const unsigned n = tg_parallel_cores();

	OK(n >= 1 && n <= TG_MAX_THREADS);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one) == 0)
		OK(tg_parallel_cores() == 1);
	else
		SKIP("the processor affinity cannot be set");
}

int
main(void)
{
	all_items_in_order();
	the_earliest_failure_wins();
	a_failure_ends_the_taking();
	stages_may_be_missing();
	many_threads_and_many_items();
	cores_are_what_the_process_may_use();
	return tap_done();
}
