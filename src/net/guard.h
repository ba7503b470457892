/* net/guard.h - the connections of a server: how many there may be at once, and for how long. The
 * time-out of an HTTP library starts again with every byte; this one does not. */
#ifndef TG_NET_GUARD_H
#define TG_NET_GUARD_H

#include "util/bytes.h"

struct bufferevent;
struct evconnlistener;
struct event_base;
struct tg_guard;

/* max_input: bytes received and not yet taken, per connection; above them it is cut. *ret is new:
 * tg_guard_free(), before the loop itself is freed. */
TG_MUST_CHECK tg_status tg_guard_new(struct event_base *base, unsigned max_connections,
    size_t max_input, unsigned seconds, struct tg_guard **ret, struct tg_error *err);
void tg_guard_free(struct tg_guard *g); /* accepts NULL */
/* Who accepts: it pauses while there are too many. Borrowed until tg_guard_free(). */
void tg_guard_listener(struct tg_guard *g, struct evconnlistener *listener);
/* One more connection, as evhttp_set_bevcb() wants it; `guard` is the guard. */
struct bufferevent *tg_guard_connection(struct event_base *base, void *guard);
unsigned tg_guard_live(struct tg_guard *g);

#endif
