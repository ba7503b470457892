/* tests/unit/net/peer.h - a server of ours in a thread, and raw sockets to and from it. */
#ifndef TG_TESTS_NET_PEER_H
#define TG_TESTS_NET_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../tap.h"
#include "net/http.h"
#include "util/try.h"

struct peer {
	struct tg_http_server *server;
	pthread_t thread;
	tg_status status;
};

static inline _Noreturn void
bail(const char *why)
{
	printf("Bail out! %s: %s\n", why, strerror(errno));
	exit(1);
}

static inline double
seconds(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void *
serve(void *ctx)
{
	struct peer *p = ctx;

	p->status = tg_http_server_run(p->server, NULL);
	return NULL;
}

static inline void
peer_start(struct peer *p, const struct tg_http_options *o)
{
	struct tg_error err = TG_ERROR_INIT;

	if (tg_http_server_new(o, &p->server, &err) != TG_OK ||
	    pthread_create(&p->thread, NULL, serve, p) != 0)
		bail(err.text);
}

static inline void
peer_stop(struct peer *p)
{
	tg_http_server_stop(p->server);
	(void)pthread_join(p->thread, NULL);
	OK_STATUS(p->status, TG_OK);
	tg_http_server_free(p->server);
}

static inline int
dial(unsigned port)
{
	const struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		bail("connect");
	return fd;
}

/* As much as the other side takes. */
static inline void
say(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		const ssize_t put = send(fd, at, n, MSG_NOSIGNAL);

		if (put <= 0)
			return;
		at += put;
		n -= (size_t)put;
	}
}

/* What comes until the other side ends it or nothing has come for five seconds; a C string. */
static inline size_t
hear(int fd, char *out, size_t size)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	size_t n = 0;

	while (n < size - 1 && poll(&poll_fd, 1, 5000) == 1) {
		const ssize_t got = recv(fd, out + n, size - 1 - n, 0);

		if (got <= 0)
			break;
		n += (size_t)got;
	}
	out[n] = '\0';
	return n;
}

#endif
