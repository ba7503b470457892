/* One line on the terminal that says how far long work has come; nothing in a pipe. */
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"


static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
show(void *ctx, uint64_t done, uint64_t total)
{
	struct tg_progress_line *l = ctx;
	const int64_t now = now_ms();
	char a[24], b[24];

	/* nothing for what is over before anybody could read it */
	if (now - l->started_ms < 500 || now - l->shown_ms < 100)
		return;
	l->shown_ms = now;
	l->shown = true;
	const double rate = (double)done / (double)(now - l->started_ms) * 1000;
	fprintf(stderr, "\r%s: %s of %s (%d %%), %s/s \033[K", l->what, tg_human_size(done, a),
	    tg_human_size(total, b), total == 0 ? 100 : (int)(done * 100 / total),
	    tg_human_size((uint64_t)rate, (char[24]){ 0 }));
}

const struct tg_progress *
tg_progress_start(struct tg_progress_line *l, const char *what)
{
	*l = (struct tg_progress_line){ { show, l }, what, now_ms(), 0, false };
	return isatty(STDERR_FILENO) ? &l->progress : NULL;
}

void
tg_progress_end(struct tg_progress_line *l)
{
	if (l->shown)
		fprintf(stderr, "\r\033[K");
}
