/*
 * A process that appends from several threads is killed at a random moment, again and again. What
 * it had been answered for is there, the chain holds, and the log goes on.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "../util/scratch.h"
#include "image.h"

enum {
	ROUNDS = 200 / (SLOWER > 1 ? 4 : 1),
	ROUNDS_A_LOG = 25,
	THREADS = 3,
	MAX_RECORDS = 1 << 18,
	MOST_MS = 40
};

/* What goes through the pipe: less than PIPE_BUF at once, so in one piece. */
struct answer {
	uint64_t sequence;
	char id[TG_LOG_ID_TEXT];
	bool is_checkpoint; /* of `sequence` records */
};

static struct tg_key *key;
static struct tg_error err;
static char (*answered)[TG_LOG_ID_TEXT]; /* by sequence; NUL: not answered */
static uint64_t n_answered, n_found, covered;
static unsigned long wrong, cut, rotated;

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the process that is killed ---- */

static int answers;
static struct tg_log *child_log;

static void
tell(uint64_t sequence, const char *id, bool is_checkpoint)
{
	struct answer a = { .sequence = sequence, .is_checkpoint = is_checkpoint };

	if (id != NULL)
		memcpy(a.id, id, sizeof(a.id));
	if (write(answers, &a, sizeof(a)) != (ssize_t)sizeof(a))
		_exit(3);
}

static void *
appender(void *arg)
{
	unsigned seed = *(const unsigned *)arg;
	struct tg_log_entry e[16];
	char event[4096];

	for (;;) {
		seed = seed * 1103515245 + 12345;
		const unsigned n = 1 + (seed >> 16) % 16, len = (seed >> 8) % 3000;

		for (unsigned i = 0; i < n; i++) {
			(void)snprintf(event, sizeof(event),
			    "{\"event_type\":\"NOTE_ADDED\",\"note\":\"%0*u\"}",
			    (int)(i == 0 ? 1 + len : 1), i);
			if (tg_log_submit(child_log, tg_bytes_str(event), &e[i], NULL) != TG_OK)
				_exit(4);
		}
		if (tg_log_wait(child_log, e[n - 1].sequence, NULL) != TG_OK)
			_exit(5);
		for (unsigned i = 0; i < n; i++)
			tell(e[i].sequence, e[i].event_id, false);
	}
	return NULL;
}

static void
child(const char *path, unsigned seed)
{
	struct tg_log_options o = image_options;
	struct tg_log_folder *folder = NULL;
	unsigned seeds[THREADS];

	o.segment_bytes = 60000;
	if (tg_log_folder_open(path, 1, &folder, &err) != TG_OK)
		_exit(6);
	const struct tg_log_files *f = tg_log_folder_files(folder);
	tg_status s = tg_log_create(f, "example.com/log", key, &o, &err);
	if (s != TG_OK && s != TG_E_CONFLICT)
		_exit(7);
	if (tg_log_open(f, &o, &child_log, &err) != TG_OK)
		_exit(8);
	tell(0, NULL, true); /* created, or as it was */
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_t t;

		seeds[i] = seed * 7 + i;
		(void)pthread_create(&t, NULL, appender, &seeds[i]);
	}
	for (;;) {
		const uint64_t size = tg_log_size(child_log);
		const struct timespec pause = { 0, 3000000 };

		if (tg_log_checkpoint(child_log, key, 1700000000, NULL, &err) != TG_OK)
			_exit(9);
		tell(size, NULL, true);
		(void)nanosleep(&pause, NULL);
	}
}

/* ---- the one that looks at what is left ---- */

static void
hear(const struct answer *a)
{
	if (a->is_checkpoint) {
		covered = a->sequence > covered ? a->sequence : covered;
		return;
	}
	if (a->sequence >= MAX_RECORDS || answered[a->sequence][0] != '\0') {
		wrong++;
		printf("# record %llu twice\n", (unsigned long long)a->sequence);
		return;
	}
	memcpy(answered[a->sequence], a->id, sizeof(a->id));
	n_answered++;
}

/* All that it says until it is killed. */
static void
listen_and_kill(pid_t pid, int from, unsigned ms)
{
	const int64_t end = now_ms() + ms;
	bool alive = true;
	struct answer a;

	for (;;) {
		struct pollfd p = { .fd = from, .events = POLLIN };
		const int64_t left = end - now_ms();

		if (alive && (left <= 0 || poll(&p, 1, (int)left) == 0)) {
			(void)kill(pid, SIGKILL);
			alive = false;
		}
		const ssize_t n = read(from, &a, sizeof(a));
		if (n == 0)
			break;
		if (n == (ssize_t)sizeof(a))
			hear(&a);
		else
			wrong++;
	}
	int status = 0;
	(void)waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status)) {
		wrong++;
		printf("# it ended by itself: %d\n", WEXITSTATUS(status));
	}
}

static void
run_and_kill(const char *path, unsigned seed)
{
	int ends[2];

	if (pipe(ends) != 0) {
		printf("Bail out! no pipe\n");
		exit(1);
	}
	(void)fflush(stdout);
	const pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		answers = ends[1];
		child(path, seed);
	}
	close(ends[1]);
	listen_and_kill(pid, ends[0], (unsigned)draw(MOST_MS));
	close(ends[0]);
}

static void
look_at(const struct tg_record *r)
{
	static const char mark[] = "\"event_id\":\"";
	const char *id = memmem(r->p, r->n, mark, sizeof(mark) - 1);

	if (r->sequence < MAX_RECORDS && answered[r->sequence][0] != '\0' && id != NULL)
		n_found +=
		    memcmp(answered[r->sequence], id + sizeof(mark) - 1, TG_LOG_ID_TEXT) == 0;
	cut += memmem(r->p, r->n, "\"LOG_RECOVERED\"", 15) != NULL;
}

static tg_status
look_at_all(const struct tg_log_files *f)
{
	struct tg_segments s;
	struct tg_block b;
	struct tg_spot at;

	n_found = cut = 0;
	TG_TRY(tg_segments_open(&s, f, (struct tg_spot){ 0, 0 }, &err));
	rotated = s.list.n;
	tg_status st = tg_block_init(&b, TG_BLOCK_BYTES, &err);
	while (st == TG_OK && (st = tg_segments_next(&s, &b, &at, &err)) == TG_OK && b.n > 0) {
		st = tg_block_check(&b, &err);
		for (size_t i = 0; i < b.good; i++)
			look_at(&b.record[i]);
	}
	tg_block_done(&b);
	tg_segments_close(&s);
	return st;
}

static tg_status
check_left(const struct tg_log_files *f)
{
	TG_AUTO(tg_log_closep) struct tg_log *log = NULL;
	TG_AUTO(tg_log_policy_freep) struct tg_log_policy *policy = NULL;
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = 1 << 16 };
	struct tg_log_report r;

	TG_TRY(tg_log_verify(f, NULL, 1, NULL, &r, &err)); /* as it was left */
	TG_TRY(tg_log_open(f, &image_options, &log, &err));
	tg_log_close(log);
	log = NULL;
	TG_TRY(tg_file_read(in("log/log.policy"), &text, &err));
	TG_TRY(tg_log_policy_parse(tg_buf_view(&text), "log.policy", &policy, &err));
	TG_TRY(tg_log_verify(f, policy, 1, NULL, &r, &err));
	TG_REQUIRE(
	    r.covered >= covered && r.tail_bytes == 0, &err, TG_E_AUTH, "a checkpoint was lost");
	TG_TRY(look_at_all(f));
	TG_REQUIRE(n_found == n_answered, &err, TG_E_AUTH,
	    "%llu records were answered for, %llu are there", (unsigned long long)n_answered,
	    (unsigned long long)n_found);
	return TG_OK;
}

/* Nothing is left when it was killed before there was a record. */
static bool
is_no_log_yet(const struct tg_log_files *f)
{
	struct tg_log *log = NULL;
	const tg_status s = tg_log_open(f, &image_options, &log, &err);

	tg_log_close(log);
	return s != TG_OK && n_answered == 0 && covered == 0 &&
	    tg_log_verify(f, NULL, 1, NULL, &(struct tg_log_report){ .records = 0 }, NULL) != TG_OK;
}

int
main(void)
{
	unsigned long kills = 0, answers_all = 0, segments_all = 0, cut_all = 0;

	make_scratch();
	OK_STATUS(tg_key_generate(TG_KEY_CHECKPOINT, 1700000000, &key, &err), TG_OK);
	answered = calloc(MAX_RECORDS, sizeof(*answered));
	mem_check(answered);
	while (kills < ROUNDS) {
		struct tg_log_folder *folder = NULL;
		bool created = false;

		memset(answered, 0, MAX_RECORDS * sizeof(*answered));
		n_answered = covered = 0;
		OK_STATUS(tg_log_folder_open(in("log"), 1, &folder, &err), TG_OK);
		const struct tg_log_files *f = tg_log_folder_files(folder);
		for (unsigned i = 0; i < ROUNDS_A_LOG; i++, kills++) {
			run_and_kill(in("log"), (unsigned)draw(1u << 30));
			if (!created && is_no_log_yet(f))
				continue;
			created = true;
			if (check_left(f) != TG_OK) {
				wrong++;
				printf("# round %lu: %s\n", kills, err.text);
			}
		}
		answers_all += n_answered;
		segments_all += rotated;
		cut_all += cut;
		tg_log_folder_close(folder);
		(void)nftw(in("log"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
	OK_NONE(wrong, kills, "killed while it appended");
	OK(answers_all > ROUNDS);
	OK(segments_all > ROUNDS / ROUNDS_A_LOG);
	printf("# %lu records answered for, %lu segments, %lu unfinished writes\n", answers_all,
	    segments_all, cut_all);
	free(answered);
	tg_key_free(key);
	remove_scratch();
	return tap_done();
}
