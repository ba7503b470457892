#include "net/loop.h"

#include <event2/event.h>
#include <pthread.h>
#include <time.h>

#include "util/try.h"

static void
say_nothing(int severity, const char *text)
{
	(void)severity, (void)text;
}

static void
silence(void)
{
	event_set_log_callback(say_nothing);
}

tg_status
tg_loop_new(struct event_base **ret, struct tg_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, silence);
	*ret = event_base_new();
	TG_REQUIRE(*ret != NULL, err, TG_E_NOMEM, "no event loop can be made");
	return TG_OK;
}

void
tg_loop_freep(struct event_base **base)
{
	if (*base != NULL)
		event_base_free(*base);
	*base = NULL;
}

static void
only_sigpipe(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGPIPE);
}

void
tg_sigpipe_hold(struct tg_sigpipe *ret)
{
	sigset_t set;

	(void)sigpending(&set);
	ret->was_pending = sigismember(&set, SIGPIPE) == 1;
	only_sigpipe(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, &ret->before);
}

void
tg_sigpipe_release(const struct tg_sigpipe *s)
{
	const struct timespec now = { 0 };
	sigset_t set;

	only_sigpipe(&set);
	if (!s->was_pending)
		(void)sigtimedwait(&set, NULL, &now);
	(void)pthread_sigmask(SIG_SETMASK, &s->before, NULL);
}
