/* net/url.h - an absolute http or https URL, taken apart. */
#ifndef TG_NET_URL_H
#define TG_NET_URL_H

#include "util/bytes.h"

#define TG_URL_HOST_MAX 253

struct tg_url {
	bool https;
	bool ipv6;                      /* the host is an IPv6 address, here without its brackets */
	char host[TG_URL_HOST_MAX + 1]; /* a name or a numeric address */
	uint16_t port;                  /* 80 or 443 where none is given */
	const char *target;             /* path and query, what stands in a request; "" means "/" */
};

/*
 * Strict: lower-case scheme, no user, no fragment, no white space, nothing but what RFC 3986 allows
 * in a path and a query. ret->target is borrowed from `text`. TG_E_FORMAT, or TG_E_LIMIT above
 * TG_MAX_URL bytes.
 */
TG_MUST_CHECK tg_status tg_url_parse(const char *text, struct tg_url *ret, struct tg_error *err);

/* Whether all of it may stand in a path, or a query; percent signs with two hex digits behind. */
bool tg_url_is_path(const char *p, size_t n);
bool tg_url_is_query(const char *p, size_t n);

#endif
