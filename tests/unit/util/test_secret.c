#include "../../tap.h"
#include <tensorguard/secret.h>

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 /* gcc's names */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif
/* The sanitizers turn mlock() into a call that succeeds and does nothing. */
#define NO_MLOCK "the sanitizer's mlock() locks nothing"

static struct tg_secret *
secret(size_t n)
{
	struct tg_secret *s = NULL;

	if (tg_secret_new(n, &s, NULL) != TG_OK) {
		printf("Bail out! no secret of %zu bytes\n", n);
		exit(1);
	}
	return s;
}

/* Run in a child; its exit code, or minus the signal that ended it. */
static int
in_child(int (*what)(void *), void *arg)
{
	int status = 0;

	fflush(stdout);
	const pid_t pid = fork();
	if (pid == 0) {
		const struct rlimit none = { 0, 0 };

		(void)setrlimit(RLIMIT_CORE, &none);
		(void)signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would explain it */
		_exit(what(arg));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 99;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void
sizes_at_the_borders(void)
{
	static const size_t good[] = { 1, 2, 31, 32, 4095, 4096, 4097, 65536, 1 << 20 };
	struct tg_secret *s = NULL;

	OK_STATUS(tg_secret_new(0, &s, NULL), TG_E_USAGE);
	OK_STATUS(tg_secret_new(SIZE_MAX, &s, NULL), TG_E_USAGE);
	OK_STATUS(tg_secret_new(SIZE_MAX - 4096, &s, NULL), TG_E_USAGE);
	OK_STATUS(tg_secret_new((size_t)1 << 50, &s, NULL), TG_E_NOMEM);
	OK(s == NULL);
	tg_secret_free(NULL);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		unsigned long set = 0;

		s = secret(good[i]);
		for (size_t k = 0; k < good[i]; k++)
			set += tg_secret_bytes(s)[k] != 0;
		memset(tg_secret_bytes(s), 0xff, good[i]);
		OK(set == 0 && tg_secret_len(s) == good[i]);
		tg_secret_free(s);
	}
}

/* ---- guard pages ---- */

struct poke {
	uint8_t *at;
	bool write;
};

static int
poke(void *arg)
{
	const struct poke *p = arg;
	volatile uint8_t *at = p->at;

	if (p->write)
		*at = 1;
	else
		(void)*at;
	return 0;
}

static void
one_byte_too_far_is_a_fault(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct tg_secret *s = secret(100), *whole = secret(2 * page);

	for (int write = 0; write <= 1; write++) {
		struct poke behind = { tg_secret_bytes(s) + 100, write != 0 };
		struct poke last = { tg_secret_bytes(s) + 99, write != 0 };
		struct poke before = { tg_secret_bytes(whole) - 1, write != 0 };
		struct poke far = { tg_secret_bytes(s) + 100 + page - 1, write != 0 };
		struct poke below = { tg_secret_bytes(s) + 100 - page - 1, write != 0 };

		OK(in_child(poke, &behind) == -SIGSEGV);
		OK(in_child(poke, &far) == -SIGSEGV);
		OK(in_child(poke, &before) == -SIGSEGV);
		OK(in_child(poke, &below) == -SIGSEGV);
		OK(in_child(poke, &last) == 0);
	}
	tg_secret_free(s);
	tg_secret_free(whole);
}

/* A released secret is no longer mapped. */
static void
a_released_secret_is_gone(void)
{
	struct tg_secret *s = secret(100);
	struct poke was = { tg_secret_bytes(s), false };

	tg_secret_free(s);
	if (SANITIZED)
		SKIP("a sanitizer may use the place again");
	else
		OK(in_child(poke, &was) == -SIGSEGV);
}

/* ---- forks, dumps, locks ---- */

static int
count_not_zero(void *arg)
{
	const struct tg_secret *s = arg;
	int left = 0;

	for (size_t i = 0; i < tg_secret_len(s); i++)
		left |= tg_secret_bytes(s)[i] != 0;
	return left;
}

static void
a_forked_child_sees_zeros(void)
{
	struct tg_secret *s = secret(10000);

	memset(tg_secret_bytes(s), 0x5a, 10000);
	OK(in_child(count_not_zero, s) == 0);
	OK(count_not_zero(s) == 1);
	tg_secret_free(s);
}

/* The VmFlags of the mapping that holds p, as in /proc/self/smaps. */
static bool
vm_flags(const void *p, char *flags, int max)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512];
	bool here = false, found = false;

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
		unsigned long from = 0, to = 0;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = (unsigned long)p >= from && (unsigned long)p < to;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			found = snprintf(flags, (size_t)max, "%s", line + 8) > 0;
	}
	if (f != NULL)
		fclose(f);
	return found;
}

static void
the_kernel_knows_about_it(void)
{
	struct tg_secret *s = secret(5000);
	char flags[256] = "";

	if (!vm_flags(tg_secret_bytes(s), flags, sizeof(flags))) {
		SKIP("/proc/self/smaps has no VmFlags");
		tg_secret_free(s);
		return;
	}
	OK(strstr(flags, " dd") != NULL); /* left out of core dumps */
	OK(strstr(flags, " wf") != NULL); /* wiped in forked children */
	OK(strstr(flags, " ex") == NULL);
	if (SANITIZED)
		SKIP(NO_MLOCK);
	else
		OK(!tg_secret_is_locked(s) || strstr(flags, " lo") != NULL);
	tg_secret_free(s);
}

/* An ordinary user with little to lock. */
static bool
become_ordinary(size_t lockable)
{
	const struct rlimit lim = { lockable, lockable };

	return setrlimit(RLIMIT_MEMLOCK, &lim) == 0 && (geteuid() != 0 || setuid(65534) == 0);
}

static int
without_enough_to_lock(void *arg)
{
	struct tg_secret *s = NULL;
	struct tg_error err = TG_ERROR_INIT;

	(void)arg;
	if (!become_ordinary(16 << 10))
		return 2;
	const size_t before = tg_secret_unlocked();
	if (tg_secret_new(4096, &s, &err) != TG_OK || !tg_secret_is_locked(s) ||
	    tg_secret_unlocked() != before)
		return 3; /* what fits is locked */
	tg_secret_free(s);
	if (tg_secret_new(1 << 20, &s, &err) != TG_OK || tg_secret_is_locked(s) ||
	    tg_secret_unlocked() != before + (1 << 20))
		return 4; /* what does not is had all the same, and counted */
	char flags[256] = "";
	if (vm_flags(tg_secret_bytes(s), flags, sizeof(flags)) &&
	    (strstr(flags, " dd") == NULL || strstr(flags, " wf") == NULL))
		return 5;
	tg_secret_free(s);
	s = NULL;
	tg_secret_require_locked();
	if (tg_secret_new(1 << 20, &s, &err) != TG_E_LIMIT || s != NULL)
		return 6; /* unless it is refused */
	if (strstr(err.text, "RLIMIT_MEMLOCK is 16384") == NULL ||
	    strstr(err.text, "1048576") == NULL)
		return 7;
	if (tg_secret_new(4096, &s, &err) != TG_OK || !tg_secret_is_locked(s))
		return 8;
	tg_secret_free(s);
	return 0;
}

static void
what_cannot_be_locked_is_counted_or_refused(void)
{
	if (SANITIZED)
		SKIP(NO_MLOCK);
	else
		OK(in_child(without_enough_to_lock, NULL) == 0);
}

int
main(void)
{
	sizes_at_the_borders();
	one_byte_too_far_is_a_fault();
	a_released_secret_is_gone();
	a_forked_child_sees_zeros();
	the_kernel_knows_about_it();
	what_cannot_be_locked_is_counted_or_refused();
	return tap_done();
}
