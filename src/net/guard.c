#include "net/guard.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "util/try.h"

#define TICK_US    250000
#define LINGER_MS  1000
#define MOST_BYTES (64u << 10) /* received and not yet looked at, per connection */
#define MOST_READS 256

struct connection {
	const struct tg_guard *guard;
	struct bufferevent *bev; /* a reference of our own; NULL: free */
	int64_t until;           /* milliseconds */
	bool answered;
};

struct tg_guard {
	struct evconnlistener *listener;
	struct event *tick;
	int64_t limit; /* milliseconds */
	size_t max_input; /* received and not yet taken, per connection */
	unsigned max, live;
	bool paused;
	struct connection *list;
};

static int64_t
now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Whoever frees a bufferevent takes its callbacks away first; then ours is the last reference. */
static bool
is_over(struct bufferevent *bev)
{
	bufferevent_event_cb told = NULL;

	bufferevent_getcb(bev, NULL, NULL, &told, NULL);
	return told == NULL;
}

/*
 * An answered connection is not closed while its other side still sends: it would be reset, and the
 * answer lost, such as that too much is being sent. False when there is no more to wait for.
 */
static bool
linger(struct connection *c, int64_t now)
{
	uint8_t waste[4096];
	const int fd = bufferevent_getfd(c->bev);
	ssize_t got = 1;

	if (!c->answered) {
		(void)bufferevent_disable(c->bev, EV_READ | EV_WRITE);
		(void)shutdown(fd, SHUT_WR);
		c->answered = true;
		c->until = now + LINGER_MS;
	}
	for (int i = 0; i < MOST_READS && got > 0; i++)
		got = recv(fd, waste, sizeof(waste), MSG_DONTWAIT);
	return now < c->until && (got > 0 || (got < 0 && errno == EAGAIN));
}

static void
sweep(struct tg_guard *g)
{
	const int64_t now = now_ms();

	for (unsigned i = 0; i < g->max; i++) {
		struct connection *c = &g->list[i];

		if (c->bev == NULL)
			continue;
		if (now >= c->until && !is_over(c->bev)) {
			c->answered = true; /* as far as it will be */
			/* its owner is told that the stream has ended, and frees it */
			bufferevent_trigger_event(c->bev, BEV_EVENT_READING | BEV_EVENT_EOF, 0);
		}
		if (is_over(c->bev) && !linger(c, now)) {
			(void)bufferevent_decref(c->bev);
			c->bev = NULL;
			g->live--;
		}
	}
	if (g->paused && g->live < g->max) {
		(void)evconnlistener_enable(g->listener);
		g->paused = false;
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd, (void)what;
	sweep(ctx);
}

/* What follows a request is read as well, while that is being answered. A watermark would do, but
 * where one suspends reading, libevent 2.1 polls without a pause. */
static void
on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *ctx)
{
	struct connection *c = ctx;

	if (info->n_added == 0 || evbuffer_get_length(input) <= c->guard->max_input)
		return;
	(void)bufferevent_disable(c->bev, EV_READ);
	c->until = 0; /* nobody sends so much for a good reason */
}

tg_status
tg_guard_new(struct event_base *base, unsigned max_connections, size_t max_input, unsigned seconds,
    struct tg_guard **ret, struct tg_error *err)
{
	const struct timeval every = { .tv_usec = TICK_US };
	struct tg_guard *g = calloc(1, sizeof(*g));

	TG_REQUIRE(g != NULL, err, TG_E_NOMEM, "server: out of memory");
	g->max = max_connections;
	g->max_input = max_input;
	g->limit = (int64_t)seconds * 1000;
	g->list = calloc(max_connections, sizeof(*g->list));
	g->tick = event_new(base, -1, EV_PERSIST, on_tick, g);
	if (g->list == NULL || g->tick == NULL || event_add(g->tick, &every) != 0) {
		tg_guard_free(g);
		return tg_fail(err, TG_E_NOMEM, "server: out of memory");
	}
	*ret = g;
	return TG_OK;
}

void
tg_guard_free(struct tg_guard *g)
{
	if (g == NULL)
		return;
	for (unsigned i = 0; g->list != NULL && i < g->max; i++)
		if (g->list[i].bev != NULL)
			(void)bufferevent_decref(g->list[i].bev);
	if (g->tick != NULL)
		event_free(g->tick);
	free(g->list);
	free(g);
}

void
tg_guard_listener(struct tg_guard *g, struct evconnlistener *listener)
{
	g->listener = listener;
}

struct bufferevent *
tg_guard_connection(struct event_base *base, void *guard)
{
	struct tg_guard *g = guard;
	struct connection *c = g->list;

	sweep(g);
	while (c < g->list + g->max && c->bev != NULL)
		c++;
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL || c == g->list + g->max)
		return bev; /* the last cannot be: it would not have been accepted */
	bufferevent_incref(bev);
	*c = (struct connection){ g, bev, now_ms() + g->limit, false };
	(void)evbuffer_add_cb(bufferevent_get_input(bev), on_input, c);
	if (++g->live == g->max && g->listener != NULL) {
		(void)evconnlistener_disable(g->listener);
		g->paused = true;
	}
	return bev;
}

unsigned
tg_guard_live(struct tg_guard *g)
{
	sweep(g);
	return g->live;
}
