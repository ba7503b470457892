/* The server against requests as they should be, and as they should not: by raw sockets. */
#include <signal.h>
#include <tensorguard/limits.h>

#include "peer.h"

static struct peer peer, hasty;
static struct peer *asked = &peer;
static unsigned calls;
static char answer[1 << 20];

/* ---- the service ---- */

static void
echo(void *ctx, const struct tg_http_call *call, struct tg_http_reply *reply)
{
	(void)ctx;
	calls++;
	if (tg_buf_put(&reply->body, call->body.p, call->body.n) == TG_OK)
		reply->status = 200;
	if (strcmp(call->content_type, "text/x-note") == 0)
		reply->content_type = "text/x-note";
}

static void
about(void *ctx, const struct tg_http_call *call, struct tg_http_reply *reply)
{
	calls++;
	if (tg_buf_put_str(&reply->body, ctx) == TG_OK &&
	    tg_buf_put_str(&reply->body, call->path) == TG_OK &&
	    tg_buf_put_str(&reply->body, "|") == TG_OK &&
	    tg_buf_put_str(&reply->body, call->query) == TG_OK)
		reply->status = 200;
}

static void
nothing(void *ctx, const struct tg_http_call *call, struct tg_http_reply *reply)
{
	(void)ctx, (void)call, (void)reply;
}

static void
large(void *ctx, const struct tg_http_call *call, struct tg_http_reply *reply)
{
	uint8_t *p = NULL;

	(void)ctx, (void)call;
	if (tg_buf_grow(&reply->body, TG_MAX_HTTP_REPLY, &p) != TG_OK)
		return;
	memset(p, 'x', TG_MAX_HTTP_REPLY);
	reply->status = 200;
}

static char name_part[] = "part:", name_rest[] = "rest:", name_root[] = "root:";
static const struct tg_http_route routes[] = {
	{ "POST", "/echo", echo, NULL },
	{ "GET", "/", about, name_root },
	{ "GET", "/*/checkpoint", about, name_part },
	{ "GET", "/tile/**", about, name_rest },
	{ "PUT", "/tile/**", nothing, NULL },
	{ "GET", "/nothing", nothing, NULL },
	{ "GET", "/large", large, NULL },
};
static const struct tg_http_options options = { .max_body = 10000, .seconds = 20,
	.max_connections = 8, .routes = routes, .n_routes = TG_LEN(routes) };

/* ---- asking ---- */

static const char *
ask_bytes(const void *p, size_t n)
{
	const int fd = dial(tg_http_server_port(asked->server));

	say(fd, p, n);
	(void)hear(fd, answer, sizeof(answer));
	close(fd);
	return answer;
}

static const char *
ask(const char *text)
{
	return ask_bytes(text, strlen(text));
}

/* The status, 0 for no answer at all. */
static int
status_of(const char *text)
{
	return strncmp(text, "HTTP/1.", 7) == 0 ? (int)strtol(text + 9, NULL, 10) : 0;
}

static const char *
body_of(const char *text)
{
	const char *p = strstr(text, "\r\n\r\n");

	return p == NULL ? "" : p + 4;
}

#define OK_ANSWER(request, status)                                                                 \
	do {                                                                                       \
		const int got_ = status_of(ask(request));                                          \
		if (got_ != (status))                                                              \
			printf("# %d: %.100s\n", got_, answer);                                    \
		OK(got_ == (status));                                                              \
	} while (0)

/* ---- tests ---- */

static void
ordinary(void)
{
	OK_ANSWER("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200);
	OK(strcmp(body_of(answer), "root:/|") == 0);
	OK(strstr(answer, "Server:") == NULL && strstr(answer, "libevent") == NULL);
	OK(strstr(answer, "Connection: close\r\n") != NULL);
	OK(strstr(answer, "Content-Type: text/plain; charset=utf-8\r\n") != NULL);
	OK_ANSWER("GET / HTTP/1.0\r\n\r\n", 200);
	OK_ANSWER("GET /?a=%20b&c HTTP/1.1\r\n\r\n", 200);
	OK(strcmp(body_of(answer), "root:/|a=%20b&c") == 0);
	OK_ANSWER("GET /abc/checkpoint HTTP/1.1\r\n\r\n", 200);
	OK(strcmp(body_of(answer), "part:/abc/checkpoint|") == 0);
	OK_ANSWER("GET /a%2Fb/checkpoint HTTP/1.1\r\n\r\n", 200);
	OK(strcmp(body_of(answer), "part:/a%2Fb/checkpoint|") == 0);
	OK_ANSWER("GET //checkpoint HTTP/1.1\r\n\r\n", 404);
	OK_ANSWER("GET /a/b/checkpoint HTTP/1.1\r\n\r\n", 404);
	OK_ANSWER("GET /abc/checkpoint/ HTTP/1.1\r\n\r\n", 404);
	OK_ANSWER("GET /abc/checkpoin HTTP/1.1\r\n\r\n", 404);
	OK_ANSWER("GET /tile/0/x001/067.p/8 HTTP/1.1\r\n\r\n", 200);
	OK(strcmp(body_of(answer), "rest:/tile/0/x001/067.p/8|") == 0);
	OK_ANSWER("GET /tile HTTP/1.1\r\n\r\n", 404);
	OK_ANSWER("GET /tile/ HTTP/1.1\r\n\r\n", 404);
	OK_ANSWER("GET /nothing HTTP/1.1\r\n\r\n", 500);
	OK(strcmp(body_of(answer), "") == 0);
	OK_ANSWER("POST /echo HTTP/1.1\r\nContent-Type: text/x-note\r\nContent-Length: 5\r\n\r\nab\r\nc", 200);
	OK(strstr(answer, "Content-Type: text/x-note\r\n") != NULL);
	OK_ANSWER("POST /echo HTTP/1.1\r\n\r\n", 200);
	OK(strcmp(body_of(answer), "") == 0);
}

static void
not_there(void)
{
	OK_ANSWER("GET /<script>alert(1)</script> HTTP/1.1\r\n\r\n", 400);
	OK(strstr(answer, "script") == NULL);
	OK_ANSWER("GET /script-alert HTTP/1.1\r\n\r\n", 404);
	OK(strstr(answer, "script") == NULL);
	OK_ANSWER("GET /echo HTTP/1.1\r\n\r\n", 405);
	OK(strstr(answer, "Allow: POST\r\n") != NULL);
	OK_ANSWER("DELETE /tile/x HTTP/1.1\r\n\r\n", 405);
	OK(strstr(answer, "Allow: GET, PUT\r\n") != NULL);
	OK_ANSWER("HEAD / HTTP/1.1\r\n\r\n", 405);
	OK_ANSWER("OPTIONS / HTTP/1.1\r\n\r\n", 405);
	OK_ANSWER("TRACE / HTTP/1.1\r\nSecret: script\r\n\r\n", 405);
	OK(strstr(answer, "Secret") == NULL);
	asked = &hasty; /* libevent leaves this one open */
	OK_ANSWER("CONNECT a:1 HTTP/1.1\r\n\r\n", 501);
	asked = &peer;
	OK_ANSWER("BREW / HTTP/1.1\r\n\r\n", 501);
	OK(strstr(answer, "BREW") == NULL);
}

static void
malformed(void)
{
	static const char nul_path[] = "GET /\0/checkpoint HTTP/1.1\r\n\r\n";
	static const char nul_field[] = "POST /echo HTTP/1.1\r\nContent-Length: 3\0000\r\n\r\nabc";
	static const char *const bad[] = {
		"x\r\n\r\n",
		"\x16\x03\x01\x02\r\n\r\n",
		"GET\r\n\r\n",
		"GET / \r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n",
		"GET / HTTP/x.1\r\n\r\n",
		"GET relative HTTP/1.1\r\n\r\n",
		"GET http://example.com/ HTTP/1.1\r\n\r\n",
		"GET * HTTP/1.1\r\n\r\n",
		"GET /a b HTTP/1.1\r\n\r\n",
		"GET /%zz HTTP/1.1\r\n\r\n",
		"GET /\x80 HTTP/1.1\r\n\r\n",
		"GET /?\x01 HTTP/1.1\r\n\r\n",
		"GET /#f HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nno colon\r\n\r\n",
		"GET / HTTP/1.1\r\n: empty\r\n\r\n",
		"GET / HTTP/1.1\r\nName : space\r\n\r\n",
		"POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\nabc",
		"POST /echo HTTP/1.1\r\nContent-Length: 3x\r\n\r\nabc",
		"POST /echo HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc",
		"POST /echo HTTP/1.1\r\nContent-Length: 03\r\n\r\nabc",
		"POST /echo HTTP/1.1\r\nContent-Length: 0x3\r\n\r\nabc",
		"POST /echo HTTP/1.1\r\nContent-Length: 3, 3\r\n\r\nabc",
		"POST /echo HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
		"POST /echo HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 0\r\n\r\nabc",
		"POST /echo HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
	};
	unsigned long wrong = 0;

	calls = 0;
	for (size_t i = 0; i < TG_LEN(bad); i++) {
		const int s = status_of(ask(bad[i]));

		/* a chunk of no size is none of any size */
		if ((s != 400 && (s != 413 || strstr(bad[i], "chunked") == NULL)) ||
		    strstr(answer, "example.com") != NULL) {
			printf("# %d: %.60s\n", s, bad[i]);
			wrong++;
		}
	}
	OK_NONE(wrong, TG_LEN(bad), "malformed");
	OK(calls == 0);
	OK(status_of(ask_bytes(nul_path, sizeof(nul_path) - 1)) == 400);
	OK(strcmp(body_of(ask_bytes(nul_field, sizeof(nul_field) - 1)), "abc") == 0 ||
	    status_of(answer) == 400);
}

static void
bodies(void)
{
	static char text[200000];
	size_t n;

	/* a megabyte is said, ten thousand are allowed; and all of it is sent */
	n = (size_t)snprintf(
	    text, sizeof(text), "POST /echo HTTP/1.1\r\nContent-Length: 100000\r\n\r\n");
	memset(text + n, 'x', 100000);
	calls = 0;
	OK(status_of(ask_bytes(text, n + 100000)) == 413);
	n = (size_t)snprintf(
	    text, sizeof(text), "POST /echo HTTP/1.1\r\nContent-Length: 10001\r\n\r\n");
	memset(text + n, 'x', 10001);
	OK(status_of(ask_bytes(text, n + 10001)) == 413 && calls == 0);
	n = (size_t)snprintf(
	    text, sizeof(text), "POST /echo HTTP/1.1\r\nContent-Length: 10000\r\n\r\n");
	memset(text + n, 'x', 10000);
	OK(status_of(ask_bytes(text, n + 10000)) == 200 && strlen(body_of(answer)) == 10000);
	OK_ANSWER("POST /echo HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 413);

	OK_ANSWER("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", 200);
	OK(strcmp(body_of(answer), "abc0123456789") == 0);
	n = (size_t)snprintf(
	    text, sizeof(text), "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 3; i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "1000\r\n");
		memset(text + n, 'y', 0x1000);
		n += 0x1000;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\r\n");
	}
	calls = 0;
	OK(status_of(ask_bytes(text, n)) == 413 && calls == 0);
	OK_ANSWER("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc", 413);
	OK_ANSWER("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nabc", 413);

	OK_ANSWER("POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 20000\r\n\r\n", 413);
	asked = &hasty;
	OK_ANSWER("POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", 100);
	asked = &peer;
	/* bytes behind the body are another request, and not answered here */
	calls = 0;
	OK_ANSWER("POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n", 200);
	OK(strcmp(body_of(answer), "abc") == 0 && calls == 1);
	OK_ANSWER("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", 200);
	OK(calls == 2);
}

static void
long_headers(void)
{
	static char text[1 << 18];
	size_t n;

	memset(text, 'A', sizeof(text));
	OK(status_of(ask_bytes(text, sizeof(text))) == 400); /* a line without end */
	n = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nX: ");
	memset(text + n, 'b', 100000);
	OK(status_of(ask_bytes(text, n + 100000)) == 400);
	n = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n");
	while (n < 100000)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "Y%zu: z\r\n", n);
	OK(status_of(ask_bytes(text, n)) == 400);
	n = (size_t)snprintf(text, sizeof(text), "GET /?");
	memset(text + n, 'q', 15000);
	n += 15000;
	n += (size_t)snprintf(text + n, sizeof(text) - n, " HTTP/1.1\r\n\r\n");
	OK(status_of(ask_bytes(text, n)) == 200 && strlen(body_of(answer)) > 15000);
	n = (size_t)snprintf(text, sizeof(text), "GET /");
	memset(text + n, 'q', TG_MAX_URL);
	n += TG_MAX_URL;
	n += (size_t)snprintf(text + n, sizeof(text) - n, " HTTP/1.1\r\n\r\n");
	OK(status_of(ask_bytes(text, n)) == 400);
}

/* One second is what a connection has. */
static void
slow(void)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	static const char text[] =
	    "POST /echo HTTP/1.1\r\nContent-Length: 300\r\n\r\naaaaaaaaaaaaaaaaaaaa";
	const unsigned port = tg_http_server_port(hasty.server);
	int fd = dial(port);
	double t = seconds();

	OK(hear(fd, answer, sizeof(answer)) == 0 && seconds() - t < 4); /* says nothing */
	close(fd);
	fd = dial(port);
	t = seconds();
	for (size_t i = 0; i < sizeof(text) - 1 && seconds() - t < 5;
	     i++) { /* a byte now and then */
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, 0) == 1)
			break;
		say(fd, text + i, 1);
		(void)nanosleep(&pause, NULL);
	}
	OK(hear(fd, answer, sizeof(answer)) == 0);
	OK(seconds() - t < 4);
	close(fd);
	/* does not read what it asked for */
	fd = dial(port);
	t = seconds();
	say(fd, "GET /large HTTP/1.1\r\n\r\n", 23);
	for (int i = 0; i < 25; i++)
		(void)nanosleep(&pause, NULL);
	size_t n = 0, got;
	while ((got = hear(fd, answer, sizeof(answer))) > 0)
		n += got;
	OK(n < TG_MAX_HTTP_REPLY);
	close(fd);
	/* half a request, and gone; a whole one, and gone before the answer */
	fd = dial(port);
	say(fd, "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\na", 43);
	close(fd);
	for (int i = 0; i < 20; i++) {
		fd = dial(port);
		say(fd, "GET /large HTTP/1.1\r\n\r\n", 23);
		close(fd);
	}
	fd = dial(port);
	say(fd, "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\na", 43);
	(void)shutdown(fd, SHUT_WR);
	OK(hear(fd, answer, sizeof(answer)) == 0);
	close(fd);
	OK_ANSWER("GET / HTTP/1.1\r\n\r\n", 200);
	/* all places taken by those who say nothing: the next one waits for its turn */
	int idle[8];
	for (size_t i = 0; i < TG_LEN(idle); i++)
		idle[i] = dial(port);
	fd = dial(port);
	say(fd, "GET / HTTP/1.1\r\n\r\n", 18);
	(void)hear(fd, answer, sizeof(answer));
	OK(status_of(answer) == 200);
	close(fd);
	for (size_t i = 0; i < TG_LEN(idle); i++)
		close(idle[i]);
}

/* More connections than there may be: the others wait, and none is lost. */
static void
crowded(void)
{
	const unsigned port = tg_http_server_port(peer.server);
	unsigned long wrong = 0;
	int fd[30];

	for (size_t i = 0; i < TG_LEN(fd); i++)
		fd[i] = dial(port);
	const double t = seconds();
	for (size_t i = TG_LEN(fd); i-- > 0;)
		say(fd[i], "GET / HTTP/1.1\r\n\r\n", 18);
	for (size_t i = 0; i < TG_LEN(fd); i++) {
		(void)hear(fd[i], answer, sizeof(answer));
		wrong += status_of(answer) != 200;
		close(fd[i]);
	}
	OK_NONE(wrong, TG_LEN(fd), "connections at once");
	OK(seconds() - t < 4);
}

static void
addresses(void)
{
	struct tg_error err = TG_ERROR_INIT;
	struct tg_http_options o = options;
	struct tg_http_server *s = NULL;

	o.address = "0.0.0.0";
	OK_STATUS(tg_http_server_new(&o, &s, &err), TG_E_POLICY);
	o.address = "::";
	OK_STATUS(tg_http_server_new(&o, &s, &err), TG_E_POLICY);
	o.address = "::ffff:10.0.0.1";
	OK_STATUS(tg_http_server_new(&o, &s, &err), TG_E_POLICY);
	o.address = "localhost";
	OK_STATUS(tg_http_server_new(&o, &s, &err), TG_E_USAGE);
	o.address = "127.0.0.1";
	o.port = tg_http_server_port(peer.server);
	OK_STATUS(tg_http_server_new(&o, &s, &err), TG_E_CONFLICT);
	o.port = 0;
	o.seconds = TG_MAX_HTTP_SECONDS + 1;
	OK_STATUS(tg_http_server_new(&o, &s, &err), TG_E_USAGE);
	o.seconds = 0;
	o.max_connections = TG_MAX_HTTP_CONNECTIONS + 1;
	OK_STATUS(tg_http_server_new(&o, &s, &err), TG_E_USAGE);
	o.max_connections = 0;
	o.address = "0.0.0.0";
	o.public_address = true;
	OK_STATUS(tg_http_server_new(&o, &s, &err), TG_OK);
	OK(tg_http_server_port(s) != 0);
	tg_http_server_stop(s); /* before it runs: it does not */
	OK_STATUS(tg_http_server_run(s, &err), TG_OK);
	tg_http_server_free(s);
	o.address = "::1";
	const tg_status st = tg_http_server_new(&o, &s, &err);
	OK(st == TG_OK || st == TG_E_IO); /* not every machine has IPv6 */
	if (st == TG_OK)
		tg_http_server_free(s);
}

static struct tg_http_server *to_stop;

static void
on_signal(int number)
{
	(void)number;
	tg_http_server_stop(to_stop);
}

static void
stopping(void)
{
	const struct sigaction action = { .sa_handler = on_signal };
	const double t = seconds();
	struct peer p;

	peer_start(&p, &options);
	to_stop = p.server;
	OK(sigaction(SIGUSR1, &action, NULL) == 0);
	const int fd = dial(tg_http_server_port(p.server)); /* and says nothing */
	OK(raise(SIGUSR1) == 0);
	(void)pthread_join(p.thread, NULL);
	OK(p.status == TG_OK && seconds() - t < 3);
	close(fd);
	tg_http_server_free(p.server);
}

int
main(void)
{
	struct tg_http_options one_second = options;

	one_second.seconds = 1;
	peer_start(&peer, &options);
	peer_start(&hasty, &one_second);
	ordinary();
	not_there();
	malformed();
	bodies();
	long_headers();
	slow();
	crowded();
	addresses();
	stopping();
	peer_stop(&hasty);
	peer_stop(&peer);
	return tap_done();
}
