#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
clock_s(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct cost
cost_now(void)
{
	return (struct cost){ clock_s(CLOCK_PROCESS_CPUTIME_ID), clock_s(CLOCK_MONOTONIC), 0 };
}

struct cost
cost_since(struct cost from)
{
	const struct cost now = cost_now();

	return (struct cost){ now.cpu - from.cpu, now.wall - from.wall, 0 };
}

struct cost
cost_best(struct cost a, struct cost b)
{
	return (struct cost){ a.cpu < b.cpu ? a.cpu : b.cpu, a.wall < b.wall ? a.wall : b.wall,
		a.rss_kib < b.rss_kib ? a.rss_kib : b.rss_kib };
}

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

struct cost
cost_of_program(const char *out, const char *const argv[])
{
	const double start = clock_s(CLOCK_MONOTONIC);
	const pid_t pid = fork();
	struct rusage use;
	int status = 0;

	if (pid == 0) {
		const int fd = open(out == NULL ? "/dev/null" : out, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
			_exit(126);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) != pid || status != 0) {
		fprintf(stderr, "bench: %s %s: did not succeed (status %d)\n", argv[0],
		    argv[1] == NULL ? "" : argv[1], status);
		exit(1);
	}
	return (struct cost){ seconds(use.ru_utime) + seconds(use.ru_stime),
		clock_s(CLOCK_MONOTONIC) - start, use.ru_maxrss };
}
