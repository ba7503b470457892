/* net/route.h - which of a server's routes a path and a method belong to. */
#ifndef TG_NET_ROUTE_H
#define TG_NET_ROUTE_H

#include "net/http.h"

/* NULL when there is none. */
const struct tg_http_route *tg_route_find(const struct tg_http_route *routes, size_t n,
    const char *method, const char *path);
/* The methods that the path has, as "GET, POST", as far as they fit; "" for no such path. */
void tg_route_methods(const struct tg_http_route *routes, size_t n, const char *path, char *out,
    size_t out_size);

#endif
