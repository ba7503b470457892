/* net/loop.h - an event loop for the thread that makes it. */
#ifndef TG_NET_LOOP_H
#define TG_NET_LOOP_H

#include <signal.h>

#include "util/bytes.h"

struct event_base;

/* A loop; libevent is kept from printing, in the whole process. *ret is new: event_base_free(). */
TG_MUST_CHECK tg_status tg_loop_new(struct event_base **ret, struct tg_error *err);
void tg_loop_freep(struct event_base **base); /* for TG_AUTO */

/* Sockets that the other side has closed raise SIGPIPE, which would end the process: hold it off in
 * this thread, and let go of it again without its having happened. */
struct tg_sigpipe {
	sigset_t before;
	bool was_pending;
};
void tg_sigpipe_hold(struct tg_sigpipe *ret);
void tg_sigpipe_release(const struct tg_sigpipe *s);

#endif
