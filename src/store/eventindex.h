/* store/eventindex.h - an index over an evidence log, in a SQLite file that may be deleted at any
 * time: it is made again from the log. */
#ifndef TG_STORE_EVENTINDEX_H
#define TG_STORE_EVENTINDEX_H

#include "evidence/index.h"

struct tg_eventindex;

/*
 * origin: the log's; NULL takes the index of any log, and makes one that names none. For one thread
 * at a time; several processes may have it open. *ret is new: release with tg_eventindex_close().
 * TG_E_NOTFOUND when absent and !create, TG_E_CONFLICT for the index of another log, TG_E_FORMAT
 * for something else or a damaged one, TG_E_UNSUPPORTED for one of another version.
 */
TG_MUST_CHECK tg_status tg_eventindex_open(const char *path, const char *origin, bool create,
    struct tg_eventindex **ret, struct tg_error *err);
void tg_eventindex_close(struct tg_eventindex *x); /* accepts NULL */
static inline void
tg_eventindex_closep(struct tg_eventindex **x)
{
	tg_eventindex_close(*x);
}
/* To feed it. Borrowed: valid until tg_eventindex_close(). */
const struct tg_log_index *tg_eventindex_feed(struct tg_eventindex *x);

/* What an event has to have; NULL and 0 ask for nothing. */
struct tg_event_filter {
	const char *event_type, *event_id, *tenant_id, *actor_id, *fleet_id, *agent_id;
	const char *result;
	const char *subject;    /* the whole object, in canonical form */
	int64_t since, until;   /* since <= timestamp < until, microseconds since 1970 */
	uint64_t limit;         /* the first so many */
	bool newest_first;      /* by sequence */
};

/*
 * The sequence numbers of the events that fit, one call each; any other status than TG_OK ends it,
 * and is returned. They are what the index says: the record is what counts.
 */
TG_MUST_CHECK tg_status tg_eventindex_find(struct tg_eventindex *x,
    const struct tg_event_filter *filter,
    tg_status (*found)(void *ctx, uint64_t sequence, struct tg_error *err), void *ctx,
    struct tg_error *err);

#endif
