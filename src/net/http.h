/* net/http.h - a small HTTP/1.1 server for local services. There is no TLS here. */
#ifndef TG_NET_HTTP_H
#define TG_NET_HTTP_H

#include "util/buf.h"

/* What has been asked. Borrowed during the call; texts are never NULL. */
struct tg_http_call {
	const char *method;       /* "GET" */
	const char *path;         /* begins with '/'; as it was sent, percent signs and all */
	const char *query;        /* without its '?' */
	const char *content_type;
	tg_bytes body;
};

/* The answer to fill in: 500 with an empty text before that. */
struct tg_http_reply {
	unsigned status;          /* 200 ... 599 */
	const char *content_type; /* static */
	struct tg_buf body;       /* at most TG_MAX_HTTP_REPLY */
};

/*
 * pattern: a path in which a part "*" stands for any one part, and a last part "**" for one or
 * more. The first route that fits in path and method is taken. `handle` is called by the thread that runs
 * the server, one call at a time.
 */
struct tg_http_route {
	const char *method, *pattern;
	void (*handle)(void *ctx, const struct tg_http_call *call, struct tg_http_reply *reply);
	void *ctx;
};

/* Zero and NULL are the defaults. */
struct tg_http_options {
	const char *address;      /* numeric: 127.0.0.1 */
	uint16_t port;            /* 0: one that is free */
	bool public_address;      /* an address that other machines reach is meant: unencrypted */
	size_t max_body;          /* TG_MAX_HTTP_BODY; a longer one is answered with 413 */
	unsigned seconds;         /* for a whole connection: 30, at most TG_MAX_HTTP_SECONDS */
	unsigned max_connections; /* TG_MAX_HTTP_CONNECTIONS, which is also the most */
	const struct tg_http_route *routes; /* borrowed as long as the server is */
	size_t n_routes;
};

struct tg_http_server;

/*
 * Bind and listen. One request per connection. TG_E_POLICY for an address that other machines reach,
 * unless public_address; TG_E_CONFLICT when the port is taken. *ret is new.
 */
TG_MUST_CHECK tg_status tg_http_server_new(const struct tg_http_options *options,
    struct tg_http_server **ret, struct tg_error *err);
void tg_http_server_free(struct tg_http_server *s); /* accepts NULL; not while it runs */
static inline void
tg_http_server_freep(struct tg_http_server **s)
{
	tg_http_server_free(*s);
}
uint16_t tg_http_server_port(const struct tg_http_server *s);
/* Serve until tg_http_server_stop(); at once if that has been called already. */
TG_MUST_CHECK tg_status tg_http_server_run(struct tg_http_server *s, struct tg_error *err);
/* From any thread or a signal handler. What is being answered has a second to end. */
void tg_http_server_stop(struct tg_http_server *s);

#endif
