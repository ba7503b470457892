#include "util/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <tensorguard/limits.h>

#include "util/try.h"

struct run {
	const struct tg_parallel *p;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	uint64_t next;   /* to be taken */
	uint64_t given;  /* items below it are done */
	uint64_t failed; /* first item that failed so far; p->n while none has */
	bool taking, ended;
	tg_status status;
	struct tg_error why;
};

struct worker {
	struct run *run;
	void *slot;
};

unsigned
tg_parallel_cores(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : n > (int)TG_MAX_THREADS ? TG_MAX_THREADS : (unsigned)n;
}

/* With the lock held: remember the failure of the earliest item. */
static void
fail(struct run *r, uint64_t item, tg_status s, const struct tg_error *why)
{
	if (item < r->failed) {
		r->failed = item;
		r->status = s;
		r->why = *why;
	}
	pthread_cond_broadcast(&r->turn);
}

/* The next item, taken; false when there is none for us. */
static bool
take(struct run *r, void *slot, uint64_t *ret)
{
	struct tg_error why = TG_ERROR_INIT;
	tg_status s = TG_OK;

	pthread_mutex_lock(&r->lock);
	while (r->taking)
		pthread_cond_wait(&r->turn, &r->lock);
	const uint64_t item = r->next;
	bool there = item < r->p->n && r->failed == r->p->n && !r->ended;
	if (there && r->p->take != NULL) {
		r->taking = true;
		pthread_mutex_unlock(&r->lock);
		s = r->p->take(r->p->ctx, slot, item, &why);
		pthread_mutex_lock(&r->lock);
		r->taking = false;
		r->ended = s == TG_OK && r->p->end != NULL && *r->p->end;
		there = !r->ended;
		pthread_cond_broadcast(&r->turn);
	}
	if (there)
		r->next++;
	if (s != TG_OK)
		fail(r, item, s, &why);
	pthread_mutex_unlock(&r->lock);
	*ret = item;
	return there && s == TG_OK;
}

/* Wait for our turn, then give, unless an earlier item has failed. */
static void
give(struct run *r, void *slot, uint64_t item, tg_status s, struct tg_error *why)
{
	pthread_mutex_lock(&r->lock);
	while (s == TG_OK && r->p->give != NULL && r->given != item && r->failed > item)
		pthread_cond_wait(&r->turn, &r->lock);
	if (s == TG_OK && r->p->give != NULL && r->failed > item) {
		pthread_mutex_unlock(&r->lock);
		s = r->p->give(r->p->ctx, slot, item, why);
		pthread_mutex_lock(&r->lock);
	}
	if (s != TG_OK)
		fail(r, item, s, why);
	else if (r->p->give != NULL && r->given == item) {
		r->given++;
		pthread_cond_broadcast(&r->turn);
	}
	pthread_mutex_unlock(&r->lock);
}

static void *
work(void *arg)
{
	const struct worker *w = arg;
	uint64_t item = 0;

	while (take(w->run, w->slot, &item)) {
		struct tg_error why = TG_ERROR_INIT;
		tg_status s = w->run->p->work(w->run->p->ctx, w->slot, item, &why);

		give(w->run, w->slot, item, s, &why);
	}
	return NULL;
}

tg_status
tg_parallel_run(const struct tg_parallel *p, unsigned threads, void *const slots[],
    struct tg_error *err)
{
	struct run r = { .p = p, .failed = p->n };
	struct worker workers[TG_MAX_THREADS];
	pthread_t ids[TG_MAX_THREADS];
	unsigned started = 1; /* this thread is worker 0 */

	if (threads > TG_MAX_THREADS)
		threads = TG_MAX_THREADS;
	if (threads > p->n)
		threads = (unsigned)p->n;
	pthread_mutex_init(&r.lock, NULL);
	pthread_cond_init(&r.turn, NULL);
	workers[0] = (struct worker){ &r, slots[0] };
	for (; started < threads; started++) {
		workers[started] = (struct worker){ &r, slots[started] };
		if (pthread_create(&ids[started], NULL, work, &workers[started]) != 0)
			break; /* fewer hands, same work */
	}
	(void)work(&workers[0]);
	for (unsigned i = 1; i < started; i++)
		pthread_join(ids[i], NULL);
	pthread_cond_destroy(&r.turn);
	pthread_mutex_destroy(&r.lock);
	if (r.status != TG_OK && err != NULL)
		*err = r.why;
	return r.status;
}
