/* URLs: what is taken apart how, and what is refused. */
#include <tensorguard/limits.h>

#include "../../tap.h"
#include "net/url.h"
#include "util/try.h"

static void
accepted(void)
{
	static const struct {
		const char *text, *host, *target;
		unsigned port;
		bool https, ipv6;
	} good[] = {
		{ "http://localhost", "localhost", "", 80, false, false },
		{ "http://localhost:1/", "localhost", "/", 1, false, false },
		{ "http://127.0.0.1:65535/add-checkpoint", "127.0.0.1", "/add-checkpoint", 65535,
		    false, false },
		{ "https://a-b.example.com/a/%2F~(b)?x=1&y=?/%20", "a-b.example.com",
		    "/a/%2F~(b)?x=1&y=?/%20", 443, true, false },
		{ "http://[::1]:8080//x", "::1", "//x", 8080, false, true },
		{ "http://[::ffff:127.0.0.1]", "::ffff:127.0.0.1", "", 80, false, true },
	};
	struct tg_url u;

	for (size_t i = 0; i < TG_LEN(good); i++) {
		OK_STATUS(tg_url_parse(good[i].text, &u, NULL), TG_OK);
		OK(strcmp(u.host, good[i].host) == 0 && strcmp(u.target, good[i].target) == 0 &&
		    u.port == good[i].port && u.https == good[i].https && u.ipv6 == good[i].ipv6);
	}
}

static void
refused(void)
{
	static const char *const bad[] = {
		"", "http:", "http:/", "http://", "http:///x", "HTTP://a/", "ftp://a/", "a", "//a/",
		"http://user@a/", "http://a:b@c/", "http://a:0/", "http://a:080/",
		"http://a:65536/", "http://a:123456/", "http://a:1x/", "http://a:-1/", "http://a/#f",
		"http://a/ b", " http://a/", "http://a/\n", "http://a\r\nHost: b/", "http://a/%", "http://a/%2",
		"http://a/%zz", "http://a/\x80", "http://\xc3\xa4/", "http://a_b/", "http://-a/",
		"http://a..b/", "http://.a/", "http://a-.b/", "http://[::1/", "http://[]/", "http://[::1]x/",
		"http://[1.2.3.4]/", "http://[fe80::1%25eth0]/", "http://::1/", "http://a?x", "http://a\\b/",
		"http://a/<b>", "http://a/?\"", "http://a/?#",
	};
	struct tg_error err = TG_ERROR_INIT;
	char text[TG_MAX_URL + 2] = "http://a/";
	struct tg_url u;
	unsigned long wrong = 0;

	for (size_t i = 0; i < TG_LEN(bad); i++)
		if (tg_url_parse(bad[i], &u, &err) != TG_E_FORMAT ||
		    strchr(err.text, '\n') != NULL) {
			printf("# %s\n", bad[i]);
			wrong++;
		}
	OK_NONE(wrong, TG_LEN(bad), "refused");
	memset(text + 9, 'x', TG_MAX_URL - 9);
	OK_STATUS(tg_url_parse(text, &u, NULL), TG_OK);
	text[TG_MAX_URL] = 'x';
	OK_STATUS(tg_url_parse(text, &u, NULL), TG_E_LIMIT);
	char host[300] = "http://";
	memset(host + 7, 'a', 254);
	OK_STATUS(tg_url_parse(host, &u, NULL), TG_E_FORMAT);
	host[7 + 253] = '\0';
	OK_STATUS(tg_url_parse(host, &u, NULL), TG_OK);
}

int
main(void)
{
	accepted();
	refused();
	return tap_done();
}
