#include "net/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include <tensorguard/limits.h>

#include "net/guard.h"
#include "net/loop.h"
#include "net/route.h"
#include "net/url.h"
#include "util/file.h"
#include "util/try.h"

#define DEFAULT_SECONDS 30
#define BACKLOG         64
#define SLACK           (64u << 10) /* how far a chunked body's lines may fill its buffer */

struct tg_http_server {
	struct event_base *base;
	struct evhttp *http;
	struct tg_guard *guard;
	struct evconnlistener *listener; /* borrowed from http */
	struct event *wake;
	int wake_fd;
	uint16_t port;
	const struct tg_http_route *routes;
	size_t n_routes;
};

/* ---- answering ---- */

static const char *
method_name(enum evhttp_cmd_type type)
{
	static const struct {
		enum evhttp_cmd_type type;
		const char *name;
	} list[] = { { EVHTTP_REQ_GET, "GET" }, { EVHTTP_REQ_POST, "POST" },
		{ EVHTTP_REQ_HEAD, "HEAD" }, { EVHTTP_REQ_PUT, "PUT" },
		{ EVHTTP_REQ_DELETE, "DELETE" } };

	for (size_t i = 0; i < TG_LEN(list); i++)
		if (list[i].type == type)
			return list[i].name;
	return "";
}

/* What libevent lets pass and a proxy in front may have understood differently. */
static bool
is_clear(struct evhttp_request *req)
{
	const struct evkeyvalq *fields = evhttp_request_get_input_headers(req);
	const size_t body = evbuffer_get_length(evhttp_request_get_input_buffer(req));
	const struct evkeyval *f;
	unsigned lengths = 0, encodings = 0;

	TAILQ_FOREACH (f, fields, next) {
		if (f->key[0] == '\0' || strpbrk(f->key, " \t") != NULL)
			return false;
		if (strcasecmp(f->key, "Content-Length") == 0) {
			char exact[24];

			(void)snprintf(exact, sizeof(exact), "%zu", body);
			if (strcmp(f->value, exact) != 0)
				return false;
			lengths++;
		}
		if (strcasecmp(f->key, "Transfer-Encoding") == 0) {
			if (strcasecmp(f->value, "chunked") != 0)
				return false;
			encodings++;
		}
	}
	return lengths + encodings <= 1;
}

/* Everything but the query and the content type; false: not a request that is answered. */
static bool
read_call(struct evhttp_request *req, struct tg_http_call *call, char path[static TG_MAX_URL + 1])
{
	struct evbuffer *body = evhttp_request_get_input_buffer(req);
	const char *uri = evhttp_request_get_uri(req);
	const size_t n = strcspn(uri, "?"), length = evbuffer_get_length(body);

	if (uri[0] != '/' || n > TG_MAX_URL || !tg_url_is_path(uri, n) || !is_clear(req))
		return false;
	memcpy(path, uri, n);
	path[n] = '\0';
	call->path = path;
	call->query = uri[n] == '?' ? uri + n + 1 : "";
	call->method = method_name(evhttp_request_get_command(req));
	call->content_type =
	    evhttp_find_header(evhttp_request_get_input_headers(req), "Content-Type");
	if (call->content_type == NULL)
		call->content_type = "";
	call->body = (tg_bytes){ evbuffer_pullup(body, -1), length };
	return tg_url_is_query(call->query, strlen(call->query)) &&
	    (length == 0 || call->body.p != NULL);
}

static void
send_reply(struct evhttp_request *req, const struct tg_http_reply *reply)
{
	struct evkeyvalq *fields = evhttp_request_get_output_headers(req);
	struct evbuffer *out = evbuffer_new();
	unsigned status = reply->status;

	if (out == NULL || evbuffer_add(out, reply->body.p, reply->body.n) != 0)
		status = 500;
	(void)evhttp_add_header(fields, "Content-Type", reply->content_type);
	(void)evhttp_add_header(fields, "X-Content-Type-Options", "nosniff");
	/* the guard's time is for a connection */
	(void)evhttp_add_header(fields, "Connection", "close");
	evhttp_send_reply(req, (int)status, NULL, out);
	if (out != NULL)
		evbuffer_free(out);
}

static void
send_text(struct evhttp_request *req, unsigned status, const char *text)
{
	struct tg_http_reply reply = { .status = status,
		.content_type = "text/plain; charset=utf-8" };

	tg_buf_init(&reply.body, 256);
	if (tg_buf_put_str(&reply.body, text) == TG_OK)
		send_reply(req, &reply);
	else
		send_reply(req, &(struct tg_http_reply){ 500, reply.content_type, { 0 } });
	tg_buf_done(&reply.body);
}

static void
send_wrong_method(const struct tg_http_server *s, struct evhttp_request *req, const char *path)
{
	char allow[128] = "";

	tg_route_methods(s->routes, s->n_routes, path, allow, sizeof(allow));
	if (allow[0] == '\0') {
		send_text(req, 404, "not found\n");
		return;
	}
	(void)evhttp_add_header(evhttp_request_get_output_headers(req), "Allow", allow);
	send_text(req, 405, "method not allowed\n");
}

static void
on_request(struct evhttp_request *req, void *ctx)
{
	const struct tg_http_server *s = ctx;
	struct tg_http_call call = { 0 };
	char path[TG_MAX_URL + 1];

	if (!read_call(req, &call, path)) {
		send_text(req, 400, "bad request\n");
		return;
	}
	const struct tg_http_route *r = tg_route_find(s->routes, s->n_routes, call.method, path);
	if (r == NULL) {
		send_wrong_method(s, req, path);
		return;
	}
	struct tg_http_reply reply = { .status = 500, .content_type = "text/plain; charset=utf-8" };
	tg_buf_init(&reply.body, TG_MAX_HTTP_REPLY);
	r->handle(r->ctx, &call, &reply);
	send_reply(req, &reply);
	tg_buf_done(&reply.body);
}

/* ---- where it listens ---- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool
is_loopback(const union address *a)
{
	if (a->any.sa_family == AF_INET)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr) ||
	    (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr) && a->v6.sin6_addr.s6_addr[12] == 127);
}

static tg_status
read_address(const struct tg_http_options *o, union address *ret, socklen_t *ret_n,
    struct tg_error *err)
{
	const char *text = o->address == NULL ? "127.0.0.1" : o->address;

	*ret = (union address){ 0 };
	if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(o->port);
		*ret_n = sizeof(ret->v4);
	} else {
		TG_REQUIRE(inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1, err, TG_E_USAGE,
		    "'%.100s': a numeric address to listen on expected, such as 127.0.0.1", text);
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = htons(o->port);
		*ret_n = sizeof(ret->v6);
	}
	TG_REQUIRE(o->public_address || is_loopback(ret), err, TG_E_POLICY,
	    "%s: other machines reach this address, and nothing is encrypted here; put a TLS proxy in"
	    " front of 127.0.0.1, or say that it is meant", text);
	return TG_OK;
}

static tg_status
start_listening(struct tg_http_server *s, const struct tg_http_options *o, struct tg_error *err)
{
	union address a;
	socklen_t n = 0;

	TG_TRY(read_address(o, &a, &n, err));
	struct evconnlistener *l = evconnlistener_new_bind(s->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG, &a.any,
	    (int)n);
	TG_REQUIRE(l != NULL, err, errno == EADDRINUSE ? TG_E_CONFLICT : TG_E_IO,
	    "cannot listen on %s, port %u: %m", o->address == NULL ? "127.0.0.1" : o->address,
	    (unsigned)o->port);
	if (evhttp_bind_listener(s->http, l) == NULL) {
		evconnlistener_free(l);
		return tg_fail(err, TG_E_NOMEM, "server: out of memory");
	}
	s->listener = l;
	TG_REQUIRE(getsockname(evconnlistener_get_fd(l), &a.any, &n) == 0, err, TG_E_IO,
	    "server: %m");
	s->port = ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
	return TG_OK;
}

/* ---- life ---- */

static void
on_wake(evutil_socket_t fd, short what, void *ctx)
{
	const struct timeval grace = { .tv_sec = 1 };
	const struct tg_http_server *s = ctx;

	(void)fd, (void)what;
	(void)evconnlistener_disable(s->listener);
	tg_guard_listener(s->guard, NULL);
	(void)event_base_loopexit(s->base, tg_guard_live(s->guard) == 0 ? NULL : &grace);
}

static void
configure(struct tg_http_server *s, size_t max_body, unsigned seconds)
{
	evhttp_set_gencb(s->http, on_request, s);
	evhttp_set_bevcb(s->http, tg_guard_connection, s->guard);
	evhttp_set_allowed_methods(s->http,
	    EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
		EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_PATCH);
	evhttp_set_max_headers_size(s->http, TG_MAX_HTTP_HEADER);
	evhttp_set_max_body_size(s->http, (ev_ssize_t)max_body);
	evhttp_set_timeout(s->http, (int)seconds);
}

static tg_status
server_init(struct tg_http_server *s, const struct tg_http_options *o, struct tg_error *err)
{
	const unsigned seconds = o->seconds == 0 ? DEFAULT_SECONDS : o->seconds;
	const size_t max_body = o->max_body == 0 ? TG_MAX_HTTP_BODY : o->max_body;
	const unsigned most =
	    o->max_connections == 0 ? TG_MAX_HTTP_CONNECTIONS : o->max_connections;

	TG_REQUIRE(seconds <= TG_MAX_HTTP_SECONDS, err, TG_E_USAGE,
	    "%u seconds for a connection, at most %u can be", seconds, TG_MAX_HTTP_SECONDS);
	TG_REQUIRE(most <= TG_MAX_HTTP_CONNECTIONS, err, TG_E_USAGE,
	    "%u connections, at most %u can be", most, TG_MAX_HTTP_CONNECTIONS);
	TG_REQUIRE(
	    max_body <= SSIZE_MAX / 2, err, TG_E_USAGE, "a body of %zu bytes cannot be", max_body);
	s->routes = o->routes;
	s->n_routes = o->n_routes;
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	TG_REQUIRE(s->wake_fd >= 0, err, TG_E_IO, "server: %m");
	TG_TRY(tg_loop_new(&s->base, err));
	TG_TRY(tg_guard_new(
	    s->base, most, max_body + TG_MAX_HTTP_HEADER + SLACK, seconds, &s->guard, err));
	s->http = evhttp_new(s->base);
	s->wake = event_new(s->base, s->wake_fd, EV_READ, on_wake, s);
	TG_REQUIRE(s->http != NULL && s->wake != NULL && event_add(s->wake, NULL) == 0, err,
	    TG_E_NOMEM, "server: out of memory");
	configure(s, max_body, seconds);
	TG_TRY(start_listening(s, o, err));
	tg_guard_listener(s->guard, s->listener);
	return TG_OK;
}

tg_status
tg_http_server_new(const struct tg_http_options *options, struct tg_http_server **ret,
    struct tg_error *err)
{
	struct tg_http_server *s = calloc(1, sizeof(*s));

	TG_REQUIRE(s != NULL, err, TG_E_NOMEM, "server: out of memory");
	s->wake_fd = -1;
	tg_status st = server_init(s, options, err);
	if (st != TG_OK) {
		tg_http_server_free(s);
		return st;
	}
	*ret = s;
	return TG_OK;
}

void
tg_http_server_free(struct tg_http_server *s)
{
	if (s == NULL)
		return;
	if (s->http != NULL)
		evhttp_free(s->http);
	tg_guard_free(s->guard);
	if (s->wake != NULL)
		event_free(s->wake);
	tg_fd_closep(&s->wake_fd);
	tg_loop_freep(&s->base);
	free(s);
}

uint16_t
tg_http_server_port(const struct tg_http_server *s)
{
	return s->port;
}

tg_status
tg_http_server_run(struct tg_http_server *s, struct tg_error *err)
{
	struct tg_sigpipe held;

	tg_sigpipe_hold(&held);
	const int code = event_base_dispatch(s->base);
	tg_sigpipe_release(&held);
	TG_REQUIRE(code >= 0, err, TG_E_IO, "server: the event loop has failed: %m");
	return TG_OK;
}

void
tg_http_server_stop(struct tg_http_server *s)
{
	const uint64_t one = 1;
	const int before = errno;

	(void)!write(s->wake_fd, &one, sizeof(one));
	errno = before;
}
