/* The client: against our own server, and against others that answer as they should not. */
#include <tensorguard/limits.h>

#include "net/client.h"
#include "peer.h"

static struct tg_error err;
static char url[200];

static const char *
at(unsigned port, const char *target)
{
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, target);
	return url;
}

/* ---- our own server ---- */

static void
mirror(void *ctx, const struct tg_http_call *call, struct tg_http_reply *reply)
{
	(void)ctx;
	if (tg_buf_put_str(&reply->body, call->method) == TG_OK &&
	    tg_buf_put_str(&reply->body, "|") == TG_OK &&
	    tg_buf_put_str(&reply->body, call->path) == TG_OK &&
	    tg_buf_put_str(&reply->body, "|") == TG_OK &&
	    tg_buf_put_str(&reply->body, call->query) == TG_OK &&
	    tg_buf_put_str(&reply->body, "|") == TG_OK &&
	    tg_buf_put_str(&reply->body, call->content_type) == TG_OK &&
	    tg_buf_put_str(&reply->body, "|") == TG_OK &&
	    tg_buf_put(&reply->body, call->body.p, call->body.n) == TG_OK)
		reply->status = call->query[0] == 'c' ? 409 : 200;
	reply->content_type = "text/x.tlog.size";
}

static const struct tg_http_route routes[] = {
	{ "GET", "/", mirror, NULL },
	{ "GET", "/a/**", mirror, NULL },
	{ "POST", "/a/**", mirror, NULL },
};

static bool
holds(const struct tg_http_response *r, unsigned status, const char *text)
{
	return r->status == status && tg_bytes_equal(tg_buf_view(&r->body), tg_bytes_str(text));
}

static void
own_server(void)
{
	static uint8_t large[TG_MAX_HTTP_BODY + 100000];
	const struct tg_http_options o = { .routes = routes, .n_routes = TG_LEN(routes) };
	const struct tg_http_limits few = { .max_reply = 10 };
	struct tg_http_response r = { 0 };
	struct peer p;

	peer_start(&p, &o);
	const unsigned port = tg_http_server_port(p.server);
	OK_STATUS(
	    tg_http_request(at(port, ""), "GET", NULL, (tg_bytes){ 0 }, NULL, &r, &err), TG_OK);
	OK(holds(&r, 200, "GET|/|||") && strcmp(r.content_type, "text/x.tlog.size") == 0);
	tg_http_response_done(&r);
	OK_STATUS(tg_http_request(at(port, "/a/b%20c?x=1"), "POST", "text/x",
		      tg_bytes_str("hello\n"), NULL, &r, &err),
	    TG_OK);
	OK(holds(&r, 200, "POST|/a/b%20c|x=1|text/x|hello\n"));
	tg_http_response_done(&r);
	OK_STATUS(tg_http_request(at(port, "/a/b?c"), "GET", NULL, (tg_bytes){ 0 }, NULL, &r, &err),
	    TG_OK);
	OK(r.status == 409);
	tg_http_response_done(&r);
	OK_STATUS(tg_http_request(at(port, "/none"), "GET", NULL, (tg_bytes){ 0 }, NULL, &r, &err),
	    TG_OK);
	OK(holds(&r, 404, "not found\n"));
	tg_http_response_done(&r);
	OK_STATUS(tg_http_request(at(port, "/a/b"), "GET", NULL, (tg_bytes){ 0 }, &few, &r, &err),
	    TG_E_LIMIT);
	OK(r.status == 0 && r.body.p == NULL);
	/* the whole body is refused while it is being sent, and the reason arrives */
	OK_STATUS(tg_http_request(at(port, "/a/b"), "POST", "a/b",
		      (tg_bytes){ large, sizeof(large) }, NULL, &r, &err),
	    TG_OK);
	OK(r.status == 413);
	tg_http_response_done(&r);
	OK_STATUS(tg_http_request(at(port, "/a/b"), "POST", "a/b",
		      (tg_bytes){ large, TG_MAX_HTTP_BODY }, NULL, &r, &err), TG_OK);
	OK(r.status == 200 && r.body.n > TG_MAX_HTTP_BODY);
	tg_http_response_done(&r);
	/* by name: of its addresses, the one that answers */
	(void)snprintf(url, sizeof(url), "http://localhost:%u/", port);
	const tg_status s = tg_http_request(url, "GET", NULL, (tg_bytes){ 0 }, NULL, &r, &err);
	if (s == TG_E_IO)
		SKIP("this machine does not know localhost");
	else
		OK(s == TG_OK && r.status == 200);
	tg_http_response_done(&r);
	peer_stop(&p);
	OK_STATUS(
	    tg_http_request(at(port, ""), "GET", NULL, (tg_bytes){ 0 }, NULL, &r, &err), TG_E_IO);
	OK(strstr(err.text, "refused") != NULL);
}

static void
usage(void)
{
	const struct tg_http_limits long_time = { .seconds = TG_MAX_HTTP_SECONDS + 1 };
	struct tg_http_response r = { 0 };

	OK_STATUS(
	    tg_http_request("https://example.com/", "GET", NULL, (tg_bytes){ 0 }, NULL, &r, &err),
	    TG_E_UNSUPPORTED);
	OK(strstr(err.text, "https is not in this build yet") != NULL);
	OK_STATUS(tg_http_request("example.com", "GET", NULL, (tg_bytes){ 0 }, NULL, &r, &err),
	    TG_E_FORMAT);
	OK_STATUS(
	    tg_http_request("http://127.0.0.1/", "PUT", NULL, (tg_bytes){ 0 }, NULL, &r, &err),
	    TG_E_USAGE);
	OK_STATUS(tg_http_request(
		      "http://127.0.0.1/", "GET", NULL, (tg_bytes){ 0 }, &long_time, &r, &err),
	    TG_E_USAGE);
	OK_STATUS(tg_http_request(
		      "http://127.0.0.1:1/", "POST", "a\r\nX: b", (tg_bytes){ 0 }, NULL, &r, &err),
	    TG_E_USAGE);
	OK_STATUS(tg_http_request(
		      "http://no-such-name.invalid/", "GET", NULL, (tg_bytes){ 0 }, NULL, &r, &err),
	    TG_E_IO);
}

/* ---- servers that we would not write ---- */

struct script {
	const char *text;
	size_t n;
	bool then_silent; /* instead of closing */
	unsigned each_ms; /* a byte at a time */
	int listener;
};

static void *
play(void *ctx)
{
	const struct script *s = ctx;
	const struct timespec pause = { .tv_nsec = (long)s->each_ms * 1000000 };
	const int fd = accept(s->listener, NULL, NULL);
	char request[4096];

	if (fd < 0 || recv(fd, request, sizeof(request), 0) < 0)
		return NULL;
	for (size_t i = 0; s->each_ms > 0 && i < s->n; i++) {
		if (send(fd, s->text + i, 1, MSG_NOSIGNAL) != 1)
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (s->each_ms == 0)
		say(fd, s->text, s->n);
	if (s->then_silent)
		(void)hear(fd, request, sizeof(request));
	close(fd);
	return NULL;
}

static tg_status
against(struct script s, struct tg_http_response *ret)
{
	const struct tg_http_limits limits = { .max_reply = 1000, .seconds = 1 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	pthread_t thread;

	s.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s.listener < 0 || bind(s.listener, (struct sockaddr *)&a, n) != 0 ||
	    listen(s.listener, 1) != 0 || getsockname(s.listener, (struct sockaddr *)&a, &n) != 0 ||
	    pthread_create(&thread, NULL, play, &s) != 0)
		bail("listen");
	*ret = (struct tg_http_response){ 0 };
	const tg_status st = tg_http_request(
	    at(ntohs(a.sin_port), "/"), "GET", NULL, (tg_bytes){ 0 }, &limits, ret, &err);
	(void)pthread_join(thread, NULL);
	close(s.listener);
	return st;
}

#define SCRIPT(text) ((struct script){ text, sizeof(text) - 1, false, 0, -1 })

static void
strange_servers(void)
{
	static char endless[200000];
	const struct script silent = { "", 0, true, 0, -1 };
	const struct script half = { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 43, true,
		0, -1 };
	const struct script drip = { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcdefghij", 50,
		false, 90, -1 };
	struct tg_http_response r;

	OK_STATUS(against(SCRIPT("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"), &r), TG_OK);
	OK(holds(&r, 200, "abc") && r.content_type[0] == '\0');
	tg_http_response_done(&r);
	OK_STATUS(against(SCRIPT("HTTP/1.0 200 OK\r\n\r\nuntil the end"), &r), TG_OK);
	OK(holds(&r, 200, "until the end"));
	tg_http_response_done(&r);
	OK_STATUS(against(SCRIPT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
		      &r), TG_OK);
	OK(holds(&r, 200, "abcde"));
	tg_http_response_done(&r);
	OK_STATUS(against(SCRIPT("HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
		      &r), TG_OK);
	OK(holds(&r, 301, ""));
	tg_http_response_done(&r);
	OK_STATUS(against(SCRIPT("HTTP/1.1 204 No Content\r\n\r\n"), &r), TG_OK);
	OK(holds(&r, 204, ""));
	tg_http_response_done(&r);

	OK_STATUS(against(SCRIPT(""), &r), TG_E_IO);
	OK_STATUS(against(SCRIPT("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), &r), TG_E_IO);
	OK_STATUS(against(SCRIPT("HTTP/1.1 200 OK\r\nContent-Le"), &r), TG_E_IO);
	OK_STATUS(against(SCRIPT("SSH-2.0-x\r\n\r\n"), &r), TG_E_FORMAT);
	OK_STATUS(against(SCRIPT("HTTP/1.1 abc\r\n\r\n"), &r), TG_E_FORMAT);
	OK_STATUS(against(SCRIPT("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc"), &r), TG_E_FORMAT);
	OK_STATUS(against(SCRIPT("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\nabc"), &r), TG_E_LIMIT);
	OK_STATUS(against(SCRIPT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\nabc"), &r),
	    TG_E_LIMIT);
	memset(endless, 'x', sizeof(endless));
	memcpy(endless, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 38);
	OK_STATUS(
	    against((struct script){ endless, sizeof(endless), false, 0, -1 }, &r), TG_E_LIMIT);
	memcpy(endless, "HTTP/1.1 200 OK\r\nConnection: closexxxx", 38);
	OK_STATUS(
	    against((struct script){ endless, sizeof(endless), false, 0, -1 }, &r), TG_E_FORMAT);

	double t = seconds();
	OK_STATUS(against(silent, &r), TG_E_IO);
	OK(err.sys_errno == ETIMEDOUT && seconds() - t < 4);
	OK_STATUS(against(half, &r), TG_E_IO);
	OK(err.sys_errno == ETIMEDOUT);
	t = seconds();
	OK_STATUS(against(drip, &r), TG_E_IO); /* each byte in time, all of them not */
	OK(err.sys_errno == ETIMEDOUT && seconds() - t < 4);
}

int
main(void)
{
	own_server();
	usage();
	strange_servers();
	return tap_done();
}
