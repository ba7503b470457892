#include "net/route.h"

#include <stdio.h>

/* Both begin with the '/' of a part, or are at their end. */
static bool
fits(const char *pattern, const char *path)
{
	while (pattern[0] == '/' && path[0] == '/') {
		const size_t want = strcspn(pattern + 1, "/"), has = strcspn(path + 1, "/");

		if (strcmp(pattern, "/**") == 0)
			return path[1] != '\0';
		if (want == 1 && pattern[1] == '*') {
			if (has == 0)
				return false;
		} else if (want != has || strncmp(pattern + 1, path + 1, want) != 0) {
			return false;
		}
		pattern += 1 + want;
		path += 1 + has;
	}
	return pattern[0] == '\0' && path[0] == '\0';
}

const struct tg_http_route *
tg_route_find(const struct tg_http_route *routes, size_t n, const char *method, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(routes[i].method, method) == 0 && fits(routes[i].pattern, path))
			return &routes[i];
	return NULL;
}

void
tg_route_methods(const struct tg_http_route *routes, size_t n, const char *path, char *out,
    size_t out_size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (!fits(routes[i].pattern, path) || strstr(out, routes[i].method) != NULL)
			continue;
		const int put = snprintf(out + at, out_size - at, "%s%s", at == 0 ? "" : ", ",
		    routes[i].method);
		if (put < 0 || (size_t)put >= out_size - at) {
			out[at] = '\0';
			return;
		}
		at += (size_t)put;
	}
}
