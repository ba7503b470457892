/* Extraction where somebody works against it: links that come and go, few files allowed. What the
 * command line does with it is in tests/cli/open.sh. */
#include "forge.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch[64];

static const char *
in(const char *name)
{
	static char path[4][160];
	static unsigned next;
	char *p = path[next++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", scratch, name);
	return p;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void
remove_all(const char *name)
{
	(void)nftw(in(name), remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int
entries(const char *name)
{
	DIR *d = opendir(in(name));
	int n = -2;

	if (d == NULL)
		return -1;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* A package of these files, unlocked; the bytes are kept until the end of the test. */
static struct tg_package *
unlocked(const struct forge_file *files, size_t n, void (*spoil)(struct forge *))
{
	struct forge *f = forge_new();
	struct tg_trust *t = trust_of(author, NULL);
	static tg_bytes bytes[8];
	static unsigned next;
	struct tg_package *p = NULL;
	const struct tg_policy policy = f->policy;

	forge_contents(f, files, n, false);
	if (spoil != NULL)
		spoil(f);
	forge_join(f);
	bytes[next] = tg_buf_view(&f->out);
	f->out = (struct tg_buf){ .max = SIZE_MAX };
	const struct tg_source src = tg_source_bytes(&bytes[next++]);
	MUST(tg_package_open(&src, t, &p, err));
	MUST(tg_package_unlock(p, reader, &policy, err));
	tg_trust_free(t);
	forge_free(f);
	return p;
}

/* ---- a race ---- */

static atomic_bool stop;

/* Now a folder, now a link to the victim, as fast as it goes. */
static void *
swap_folder(void *arg)
{
	char a[160], link[160];

	(void)snprintf(a, sizeof(a), "%s/race/a", scratch);
	(void)snprintf(link, sizeof(link), "%s/race/link", scratch);
	while (!atomic_load(&stop))
		if (renameat2(AT_FDCWD, a, AT_FDCWD, link, RENAME_EXCHANGE) == 0)
			++*(unsigned long *)arg;
	return NULL;
}

static void
a_folder_that_turns_into_a_link(void)
{
	static const struct forge_file files[] = { { "a/b/one", 100 }, { "a/two", 100 },
		{ "three", 100 } };
	struct tg_package *p = unlocked(files, TG_LEN(files), NULL);
	pthread_t id;
	unsigned long swaps = 0, done = 0, refused = 0, other = 0;

	OK(mkdir(in("victim"), 0755) == 0 && mkdir(in("race"), 0755) == 0 &&
	    mkdir(in("race/a"), 0755) == 0 && symlink("../victim", in("race/link")) == 0);
	atomic_store(&stop, false);
	OK(pthread_create(&id, NULL, swap_folder, &swaps) == 0);
	for (int i = 0; i < 300; i++) {
		const tg_status s = tg_package_extract(p, in("race"), 1, 1, NULL, NULL);

		done += s == TG_OK;
		refused += s == TG_E_IO || s == TG_E_CONFLICT;
		other += s != TG_OK && s != TG_E_IO && s != TG_E_CONFLICT;
	}
	atomic_store(&stop, true);
	pthread_join(id, NULL);
	printf("# %lu swaps, %lu extracted, %lu refused\n", swaps, done, refused);
	OK(swaps > 10 && done + refused == 300);
	OK(entries("victim") == 0);
	OK(other == 0);
	remove_all("race");
	remove_all("victim");
	tg_package_close(p);
}

/* ---- few files allowed ---- */

#define MANY 16

static void
many_files(struct forge_file *files)
{
	static char name[MANY][8];

	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "f%02zu", i);
		files[i] = (struct forge_file){ name[i], 50 };
	}
}

static void
last_file_unsound(struct forge *f)
{
	json_set(&f->text[MANIFEST], "content_index.15.sha256",
	    "\"00000000000000000000000000000000000000000000000000000000000000aa\"");
}

/* Extract in a child that may have so many descriptors, soft and hard; its status. */
static tg_status
extract_within(struct tg_package *p, rlim_t soft, rlim_t hard)
{
	const struct tg_policy policy = {
		.now = 1700000000, .fleet = "edge", .floor = 5, .agent_version = "1.2.3"
	};
	const struct rlimit lim = { soft, hard };
	int status = 0;

	fflush(stdout);
	const pid_t pid = fork();
	if (pid == 0) {
		/* the payload key has not come along: secrets are wiped in forked children */
		if (tg_package_extract(p, in("forked"), 0, 1, NULL, NULL) != TG_E_AUTH ||
		    tg_package_unlock(p, reader, &policy, NULL) != TG_OK ||
		    setrlimit(RLIMIT_NOFILE, &lim) != 0)
			_exit(99);
		_exit((int)tg_package_extract(p, in("few"), 0, 1, NULL, NULL));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return TG_STATUS_COUNT;
	return (tg_status)WEXITSTATUS(status);
}

/* All files at once, in turns of a few, or not at all; and of an unsound package never any. */
static void
with_few_descriptors(void)
{
	static const rlim_t hard[] = { 20, 64, 65, 66, 70, 79, 80, 81, 1000 };
	struct forge_file files[MANY];

	many_files(files);
	struct tg_package *sound = unlocked(files, MANY, NULL);
	struct tg_package *unsound = unlocked(files, MANY, last_file_unsound);
	for (size_t i = 0; i < TG_LEN(hard); i++)
		for (rlim_t soft = 20; soft <= hard[i]; soft += hard[i] > 20 ? hard[i] - 20 : 1) {
			const tg_status s = extract_within(sound, soft, hard[i]);
			const int n = entries("few");

			named((s == TG_OK && n == MANY) ||
				(s == TG_E_LIMIT && n == -1 && hard[i] <= 64),
			    "%d descriptors, at most %d: %s, %d files", (int)soft, (int)hard[i],
			    tg_status_name(s), n);
			remove_all("few");
			const tg_status u = extract_within(unsound, soft, hard[i]);
			named(
			    (u == TG_E_AUTH || hard[i] <= 64) && u != TG_OK && entries("few") == -1,
			    "%d descriptors, at most %d, unsound: %s", (int)soft, (int)hard[i],
			    tg_status_name(u));
			remove_all("few");
		}
	tg_package_close(sound);
	tg_package_close(unsound);
}

/* In memory where that can be: extraction waits for the disk. */
static bool
make_scratch(void)
{
	static const char *const places[] = { "/dev/shm/tg-extract-XXXXXX",
		"/tmp/tg-extract-XXXXXX" };

	for (size_t i = 0; i < TG_LEN(places); i++) {
		(void)snprintf(scratch, sizeof(scratch), "%s", places[i]);
		if (mkdtemp(scratch) != NULL)
			return true;
	}
	return false;
}

int
main(void)
{
	if (!make_scratch())
		return 1;
	cast_make();
	a_folder_that_turns_into_a_link();
	with_few_descriptors();
	cast_done();
	OK(rmdir(scratch) == 0);
	return tap_done();
}
