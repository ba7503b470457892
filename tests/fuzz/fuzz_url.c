/* A URL that is accepted has parts that make an equal one again. */
#include <stdio.h>
#include <stdlib.h>
#include <tensorguard/limits.h>

#include "net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check(const char *text, const struct tg_url *u)
{
	static char again[TG_MAX_URL + 64];
	struct tg_url v;

	const int len = snprintf(again, sizeof(again), "http%s://%s%s%s:%u%s", u->https ? "s" : "",
	    u->ipv6 ? "[" : "", u->host, u->ipv6 ? "]" : "", (unsigned)u->port, u->target);
	if (len < 0 || (size_t)len >= sizeof(again) || u->target < text ||
	    u->target > text + strlen(text) || u->port == 0 || u->host[0] == '\0')
		__builtin_trap();
	/* with the port written out it may be too long */
	if ((size_t)len > TG_MAX_URL)
		return;
	if (tg_url_parse(again, &v, NULL) != TG_OK || v.https != u->https || v.ipv6 != u->ipv6 ||
	    v.port != u->port || strcmp(v.host, u->host) != 0 || strcmp(v.target, u->target) != 0)
		__builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tg_error err = TG_ERROR_INIT;
	struct tg_url u;
	char *text = malloc(n + 1);

	if (text == NULL)
		return 0;
	if (n > 0)
		memcpy(text, p, n);
	text[n] = '\0';
	const tg_status s = tg_url_parse(text, &u, &err);
	if (s == TG_OK)
		check(text, &u);
	else if ((s != TG_E_FORMAT && s != TG_E_LIMIT) || err.text[0] == '\0')
		__builtin_trap();
	free(text);
	return 0;
}
