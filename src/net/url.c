#include "net/url.h"

#include <arpa/inet.h>
#include <tensorguard/limits.h>

#include "util/try.h"

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static bool
is_hex(char c)
{
	return c != '\0' && strchr("0123456789abcdefABCDEF", c) != NULL;
}

static bool
only(const char *p, size_t n, const char *allowed)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '%' && n - i > 2 && is_hex(p[i + 1]) && is_hex(p[i + 2]))
			i += 2;
		else if (p[i] == '\0' || p[i] == '%' || strchr(allowed, p[i]) == NULL)
			return false;
	}
	return true;
}

bool
tg_url_is_path(const char *p, size_t n)
{
	return only(p, n, ALNUM "-._~!$&'()*+,;=:@/");
}

bool
tg_url_is_query(const char *p, size_t n)
{
	return only(p, n, ALNUM "-._~!$&'()*+,;=:@/?");
}

/* "[...]" of an IPv6 address; *ret_end is behind it. */
static bool
parse_ipv6(const char *p, struct tg_url *u, const char **ret_end)
{
	struct in6_addr address;
	const char *close = strchr(p, ']');

	if (close == NULL || close - p - 1 > INET6_ADDRSTRLEN)
		return false;
	memcpy(u->host, p + 1, (size_t)(close - p - 1));
	u->ipv6 = true;
	*ret_end = close + 1;
	return inet_pton(AF_INET6, u->host, &address) == 1;
}

/* A name, or an IPv4 address: labels of letters, digits and inner hyphens. */
static bool
parse_name(const char *p, struct tg_url *u, const char **ret_end)
{
	const size_t n = strspn(p, ALNUM "-.");

	if (n == 0 || n > TG_URL_HOST_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		const bool first = i == 0 || p[i - 1] == '.', last = i == n - 1 || p[i + 1] == '.';

		if ((p[i] == '.' && first) || (p[i] == '-' && (first || last)))
			return false;
	}
	memcpy(u->host, p, n);
	*ret_end = p + n;
	return true;
}

/* ":1" ... ":65535", no zeros in front. */
static bool
parse_port(const char *p, struct tg_url *u, const char **ret_end)
{
	const size_t n = strspn(p + 1, "0123456789");
	unsigned v = 0;

	if (n == 0 || n > 5 || p[1] == '0')
		return false;
	for (size_t i = 1; i <= n; i++)
		v = v * 10 + (unsigned)(p[i] - '0');
	u->port = (uint16_t)v;
	*ret_end = p + 1 + n;
	return v <= UINT16_MAX;
}

static bool
parse_target(const char *p)
{
	const size_t path = strcspn(p, "?");

	if (p[0] != '\0' && p[0] != '/')
		return false;
	return tg_url_is_path(p, path) &&
	    (p[path] == '\0' || tg_url_is_query(p + path + 1, strlen(p + path + 1)));
}

tg_status
tg_url_parse(const char *text, struct tg_url *ret, struct tg_error *err)
{
	struct tg_url u = { .port = 80 };
	const char *p = text;

	TG_REQUIRE(strnlen(text, TG_MAX_URL + 1) <= TG_MAX_URL, err, TG_E_LIMIT,
	    "URL longer than %u bytes", TG_MAX_URL);
	if (strncmp(p, "https://", 8) == 0) {
		u.https = true;
		u.port = 443;
		p += 8;
	} else {
		TG_REQUIRE(strncmp(p, "http://", 7) == 0, err, TG_E_FORMAT,
		    "'%.100s': not a URL that begins with http://", text);
		p += 7;
	}
	TG_REQUIRE(p[0] == '[' ? parse_ipv6(p, &u, &p) : parse_name(p, &u, &p), err, TG_E_FORMAT,
	    "'%.100s': no host name or address behind //", text);
	TG_REQUIRE(p[0] != ':' || parse_port(p, &u, &p), err, TG_E_FORMAT,
	    "'%.100s': port 1 ... 65535 expected behind the host", text);
	TG_REQUIRE(parse_target(p), err, TG_E_FORMAT,
	    "'%.100s': behind the host only a path and a query can follow", text);
	u.target = p;
	*ret = u;
	return TG_OK;
}
