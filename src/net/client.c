#include "net/client.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include <tensorguard/limits.h>

#include "net/loop.h"
#include "net/url.h"
#include "util/try.h"

#define DEFAULT_SECONDS 30

/* A request on its way. */
struct exchange {
	const char *url; /* for messages */
	struct tg_url to;
	const char *method, *content_type;
	tg_bytes body;
	size_t max_reply;
	unsigned seconds;
	int64_t until; /* milliseconds */

	struct event_base *base;
	bool done;
	bool connected;    /* false at the end: another address may do */
	int connect_errno;
	bufferevent_event_cb next; /* libevent's own, with its argument */
	void *next_arg;
	tg_status status;
	struct tg_http_response *response;
	struct tg_error *err;
};

static int64_t
now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
end(struct exchange *x, tg_status status)
{
	x->done = true;
	x->status = status;
	(void)event_base_loopbreak(x->base);
}

/* ---- what can happen ---- */

static void
on_late(evutil_socket_t fd, short what, void *ctx)
{
	struct exchange *x = ctx;

	(void)fd, (void)what;
	errno = ETIMEDOUT;
	end(x, tg_fail(x->err, TG_E_IO, "%s: no answer within %u seconds", x->url, x->seconds));
}

/* Stands before libevent's callback, which does not tell why there was no connection. */
static void
on_connect(struct bufferevent *bev, short what, void *ctx)
{
	struct exchange *x = ctx;

	x->connected = (what & BEV_EVENT_CONNECTED) != 0;
	x->connect_errno = errno;
	bufferevent_setcb(bev, NULL, NULL, x->next, x->next_arg);
	x->next(bev, what, x->next_arg);
}

static void
on_unreached(struct exchange *x)
{
	errno = x->connect_errno;
	end(x, tg_fail(x->err, TG_E_IO, "%s: cannot connect: %m", x->url));
}

static void
on_error(enum evhttp_request_error error, void *ctx)
{
	struct exchange *x = ctx;

	if (!x->connected) {
		on_unreached(x);
		return;
	}
	switch (error) {
	case EVREQ_HTTP_TIMEOUT:
		on_late(-1, 0, x);
		break;
	case EVREQ_HTTP_EOF:
		errno = ECONNRESET;
		end(x,
		    tg_fail(
			x->err, TG_E_IO, "%s: the connection ended before the answer did", x->url));
		break;
	case EVREQ_HTTP_DATA_TOO_LONG:
		end(x,
		    tg_fail(x->err, TG_E_LIMIT, "%s: the answer is longer than %zu bytes", x->url,
			x->max_reply));
		break;
	case EVREQ_HTTP_INVALID_HEADER:
	case EVREQ_HTTP_BUFFER_ERROR:
	case EVREQ_HTTP_REQUEST_CANCEL:
	default:
		end(x,
		    tg_fail(x->err, TG_E_FORMAT, "%s: what answers there does not speak HTTP/1.1",
			x->url));
	}
}

static tg_status
take_response(struct exchange *x, struct evhttp_request *req)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	const char *type =
	    evhttp_find_header(evhttp_request_get_input_headers(req), "Content-Type");
	const size_t n = evbuffer_get_length(in);
	uint8_t *p = NULL;

	tg_buf_init(&x->response->body, x->max_reply);
	if (n > 0) {
		TG_REQUIRE(tg_buf_grow(&x->response->body, n, &p) == TG_OK, x->err,
		    n > x->max_reply ? TG_E_LIMIT : TG_E_NOMEM, "%s: an answer of %zu bytes",
		    x->url, n);
		(void)evbuffer_copyout(in, p, n);
	}
	if (type != NULL && strlen(type) <= TG_HTTP_TYPE_MAX)
		memcpy(x->response->content_type, type, strlen(type) + 1);
	x->response->status = (unsigned)evhttp_request_get_response_code(req);
	return TG_OK;
}

static void
on_response(struct evhttp_request *req, void *ctx)
{
	struct exchange *x = ctx;

	if (x->done)
		return; /* on_error() was here */
	if (req == NULL) {
		on_error(EVREQ_HTTP_BUFFER_ERROR, x);
	} else if (evhttp_request_get_response_code(req) == 0) {
		on_unreached(x);
	} else {
		end(x, take_response(x, req));
	}
}

/* ---- asking ---- */

static tg_status
write_request(struct exchange *x, struct evhttp_request *req)
{
	struct evkeyvalq *fields = evhttp_request_get_output_headers(req);
	char host[TG_URL_HOST_MAX + 16];

	(void)snprintf(host, sizeof(host), "%s%s%s:%u", x->to.ipv6 ? "[" : "", x->to.host,
	    x->to.ipv6 ? "]" : "", (unsigned)x->to.port);
	if (x->to.port == 80)
		*strrchr(host, ':') = '\0';
	TG_REQUIRE(evhttp_add_header(fields, "Host", host) == 0 &&
		evhttp_add_header(fields, "Connection", "close") == 0 &&
		(x->content_type == NULL ||
		    evhttp_add_header(fields, "Content-Type", x->content_type) == 0) &&
		evbuffer_add(evhttp_request_get_output_buffer(req), x->body.p, x->body.n) == 0,
	    x->err, TG_E_USAGE, "%s: the request cannot be written", x->url);
	return TG_OK;
}

static tg_status
send_request(struct exchange *x, struct evhttp_connection *c)
{
	char target[TG_MAX_URL + 2];
	struct evhttp_request *req = evhttp_request_new(on_response, x);

	TG_REQUIRE(req != NULL, x->err, TG_E_NOMEM, "%s: out of memory", x->url);
	evhttp_request_set_error_cb(req, on_error);
	tg_status s = write_request(x, req);
	if (s != TG_OK) {
		evhttp_request_free(req);
		return s;
	}
	(void)snprintf(
	    target, sizeof(target), "%s%s", x->to.target[0] == '/' ? "" : "/", x->to.target);
	TG_REQUIRE(
	    evhttp_make_request(c, req,
		strcmp(x->method, "GET") == 0 ? EVHTTP_REQ_GET : EVHTTP_REQ_POST, target) == 0,
	    x->err, TG_E_IO, "%s: the request cannot be sent", x->url);
	if (!x->done) {
		struct bufferevent *bev = evhttp_connection_get_bufferevent(c);

		bufferevent_getcb(bev, NULL, NULL, &x->next, &x->next_arg);
		bufferevent_setcb(bev, NULL, NULL, on_connect, x);
	}
	return TG_OK;
}

/* Over one address, a numeric one. */
static tg_status
exchange_with(struct exchange *x, const char *address, struct event *late)
{
	struct evhttp_connection *c =
	    evhttp_connection_base_new(x->base, NULL, address, x->to.port);
	const int64_t left = x->until - now_ms();
	const struct timeval wait = { .tv_sec = left < 0 ? 0 : left / 1000,
		.tv_usec = left < 0 ? 0 : left % 1000 * 1000 };

	x->done = x->connected = false;
	x->connect_errno = EHOSTUNREACH; /* where it fails at once */
	TG_REQUIRE(c != NULL, x->err, TG_E_NOMEM, "%s: out of memory", x->url);
	evhttp_connection_set_timeout(c, (int)x->seconds + 1); /* `late` comes first */
	evhttp_connection_set_max_headers_size(c, TG_MAX_HTTP_HEADER);
	evhttp_connection_set_max_body_size(c, (ev_ssize_t)x->max_reply);
	/* who does not want all of our body may have said why */
	(void)evhttp_connection_set_flags(c, EVHTTP_CON_READ_ON_WRITE_ERROR);
	tg_status s = event_add(late, &wait) == 0 ? send_request(x, c) : TG_E_NOMEM;
	while (s == TG_OK && !x->done)
		if (event_base_loop(x->base, EVLOOP_ONCE) != 0 && !x->done)
			s = tg_fail(x->err, TG_E_IO, "%s: the event loop has failed: %m", x->url);
	x->done = true; /* what freeing may still tell */
	(void)event_del(late);
	evhttp_connection_free(c);
	return s == TG_OK ? x->status : s;
}

/* Every address that the name has, until one can be connected to. */
static tg_status
exchange_by_name(struct exchange *x, struct event *late)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL;
	char address[NI_MAXHOST];
	tg_status s = TG_E_IO;

	errno = 0;
	const int code = getaddrinfo(x->to.host, NULL, &hints, &list);
	TG_REQUIRE(code == 0 && list != NULL, x->err, TG_E_IO, "%s: no address for '%s': %s",
	    x->url, x->to.host, gai_strerror(code));
	for (const struct addrinfo *a = list; a != NULL && s == TG_E_IO && !x->connected;
	     a = a->ai_next) {
		if (getnameinfo(a->ai_addr, a->ai_addrlen, address, sizeof(address), NULL, 0,
			NI_NUMERICHOST) == 0)
			s = exchange_with(x, address, late);
		else
			s = tg_fail(x->err, TG_E_IO, "%s: no address for '%s'", x->url, x->to.host);
	}
	freeaddrinfo(list);
	return s;
}

static tg_status
run_exchange(struct exchange *x)
{
	TG_AUTO(tg_loop_freep) struct event_base *base = NULL;
	struct tg_sigpipe held;

	TG_TRY(tg_loop_new(&base, x->err));
	struct event *late = event_new(base, -1, 0, on_late, x);
	TG_REQUIRE(late != NULL, x->err, TG_E_NOMEM, "%s: out of memory", x->url);
	x->base = base;
	tg_sigpipe_hold(&held);
	tg_status s = exchange_by_name(x, late);
	tg_sigpipe_release(&held);
	event_free(late);
	return s;
}

tg_status
tg_http_request(const char *url, const char *method, const char *content_type, tg_bytes body,
    const struct tg_http_limits *limits, struct tg_http_response *ret, struct tg_error *err)
{
	static const struct tg_http_limits defaults = { 0 };
	const struct tg_http_limits *l = limits == NULL ? &defaults : limits;
	struct tg_http_response got = { 0 };
	struct exchange x = { .url = url,
		.method = method,
		.content_type = content_type,
		.body = body,
		.max_reply = l->max_reply == 0 ? TG_MAX_HTTP_REPLY : l->max_reply,
		.seconds = l->seconds == 0 ? DEFAULT_SECONDS : l->seconds,
		.response = &got,
		.err = err };

	TG_REQUIRE(strcmp(method, "GET") == 0 || strcmp(method, "POST") == 0, err, TG_E_USAGE,
	    "method '%.20s', GET or POST expected", method);
	TG_REQUIRE(x.max_reply <= TG_MAX_HTTP_REPLY && x.seconds <= TG_MAX_HTTP_SECONDS, err,
	    TG_E_USAGE, "an answer of %zu bytes within %u seconds, at most %u and %u can be",
	    x.max_reply, x.seconds, TG_MAX_HTTP_REPLY, TG_MAX_HTTP_SECONDS);
	TG_TRY(tg_url_parse(url, &x.to, err));
	TG_REQUIRE(!x.to.https, err, TG_E_UNSUPPORTED,
	    "%s: https is not in this build yet; put a TLS"
	    " proxy in front, or send the request with another tool",
	    url);
	x.until = now_ms() + (int64_t)x.seconds * 1000;
	tg_status s = run_exchange(&x);
	if (s != TG_OK) {
		tg_http_response_done(&got);
		return s;
	}
	*ret = got;
	return TG_OK;
}

void
tg_http_response_done(struct tg_http_response *r)
{
	tg_buf_done(&r->body);
	*r = (struct tg_http_response){ 0 };
}
