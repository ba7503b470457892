/* One process appends at a time: who comes second is told so, or waits. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "../util/scratch.h"
#include "image.h"

static struct tg_key *key;
static struct tg_error err;
static struct tg_log_folder *folder;
static struct tg_log_options options;

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static tg_status
open_close(unsigned wait_ms, int64_t *ret_ms)
{
	struct tg_log *log = NULL;
	const int64_t start = now_ms();

	options.wait_ms = wait_ms;
	const tg_status s = tg_log_open(tg_log_folder_files(folder), &options, &log, &err);
	*ret_ms = now_ms() - start;
	tg_log_close(log);
	return s;
}

/* A process that has the log open: for so long, or until it is killed. */
static pid_t
hold(unsigned ms)
{
	int ready[2];
	char c = 0;

	if (pipe(ready) != 0)
		return -1;
	(void)fflush(stdout); /* a sanitizer prints at the end of the child what it has inherited */
	const pid_t pid = fork();
	if (pid == 0) {
		struct tg_log_folder *mine = NULL;
		struct tg_log *log = NULL;
		const struct timespec pause = { ms / 1000, ms % 1000 * 1000000l };

		if (tg_log_folder_open(in("log"), 0, &mine, &err) == TG_OK &&
		    tg_log_open(tg_log_folder_files(mine), &options, &log, &err) == TG_OK) {
			(void)!write(ready[1], "x", 1);
			(void)nanosleep(&pause, NULL);
		}
		tg_log_close(log);
		_exit(0);
	}
	close(ready[1]);
	OK(read(ready[0], &c, 1) == 1);
	close(ready[0]);
	return pid;
}

static void
two_handles(void)
{
	struct tg_log_folder *second = NULL;
	struct tg_log *a = NULL, *b = NULL;
	struct tg_log_report r;

	OK_STATUS(tg_log_folder_open(in("log"), 0, &second, &err), TG_OK);
	options.wait_ms = 0;
	OK_STATUS(tg_log_open(tg_log_folder_files(folder), &options, &a, &err), TG_OK);
	OK_STATUS(tg_log_open(tg_log_folder_files(second), &options, &b, &err), TG_E_BUSY);
	OK(b == NULL && strstr(err.text, "another process") != NULL);
	OK_STATUS(tg_log_open(tg_log_folder_files(folder), &options, &b, &err), TG_E_BUSY);
	OK_STATUS(tg_log_create(tg_log_folder_files(second), "example.com/b", key, &options, &err),
	    TG_E_BUSY);
	OK(image_append(a, 5)); /* nothing of that has disturbed it */
	OK_STATUS(tg_log_verify(tg_log_folder_files(second), NULL, 1, NULL, &r, &err), TG_OK);
	OK(r.records == 6);
	tg_log_close(a);
	OK_STATUS(tg_log_open(tg_log_folder_files(second), &options, &b, &err), TG_OK);
	OK(image_append(b, 1) && tg_log_size(b) == 7);
	tg_log_close(b);
	tg_log_folder_close(second);
}

static void
two_processes(void)
{
	int64_t ms = 0;

	pid_t pid = hold(400);
	OK_STATUS(open_close(0, &ms), TG_E_BUSY);
	OK(ms < 300);
	OK_STATUS(open_close(60, &ms), TG_E_BUSY);
	OK(ms >= 55);
	OK_STATUS(open_close(60000, &ms), TG_OK);
	OK(ms < 30000);
	OK(waitpid(pid, NULL, 0) == pid);

	pid = hold(60000); /* the lock does not outlive who holds it */
	OK_STATUS(open_close(0, &ms), TG_E_BUSY);
	OK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
	OK_STATUS(open_close(0, &ms), TG_OK);
}

int
main(void)
{
	make_scratch();
	options = image_options;
	OK_STATUS(tg_key_generate(TG_KEY_CHECKPOINT, 1700000000, &key, &err), TG_OK);
	OK_STATUS(tg_log_folder_open(in("log"), 1, &folder, &err), TG_OK);
	OK_STATUS(
	    tg_log_create(tg_log_folder_files(folder), "example.com/log", key, &options, &err),
	    TG_OK);
	two_handles();
	two_processes();
	tg_log_folder_close(folder);
	tg_key_free(key);
	remove_scratch();
	return tap_done();
}
