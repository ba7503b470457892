/* net/client.h - one HTTP/1.1 request and its answer. There is no TLS here. */
#ifndef TG_NET_CLIENT_H
#define TG_NET_CLIENT_H

#include "util/buf.h"

#define TG_HTTP_TYPE_MAX 127

struct tg_http_response {
	unsigned status;
	char content_type[TG_HTTP_TYPE_MAX + 1]; /* "" when there is none, or a longer one */
	struct tg_buf body;
};

/* Zeros are the defaults. */
struct tg_http_limits {
	size_t max_reply;  /* body: TG_MAX_HTTP_REPLY */
	unsigned seconds;  /* for all of it, apart from the system's look-up of a name: 30 */
};

/*
 * method: "GET" or "POST"; content_type: of the body, NULL for GET. Redirections are not followed:
 * whatever HTTP status comes is TG_OK. *ret is filled anew: tg_http_response_done().
 * TG_E_UNSUPPORTED for https, TG_E_IO when nobody answers, or not in time, TG_E_FORMAT when it is
 * not HTTP, TG_E_LIMIT for a longer body.
 */
TG_MUST_CHECK tg_status tg_http_request(const char *url, const char *method,
    const char *content_type, tg_bytes body, const struct tg_http_limits *limits,
    struct tg_http_response *ret, struct tg_error *err);
void tg_http_response_done(struct tg_http_response *r); /* also for one of zeros */

#endif
