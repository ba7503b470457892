/* tests/unit/util/scratch.h - a folder of a test's own, and machines that lack a system call. */
#ifndef TG_TESTS_UTIL_SCRATCH_H
#define TG_TESTS_UTIL_SCRATCH_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../tap.h"
#include "util/dir.h"
#include "util/try.h"

static char scratch[32];
static char path_buf[4][128];

static inline const char *
in(const char *name)
{
	static unsigned next;
	char *p = path_buf[next++ % 4];

	(void)snprintf(p, sizeof(path_buf[0]), "%s/%s", scratch, name);
	return p;
}

static inline void
make(const char *name, const char *text)
{
	FILE *f = fopen(in(name), "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
		printf("Bail out! %s cannot be made\n", name);
		exit(1);
	}
}

static inline bool
holds(const char *name, const char *want)
{
	char got[64] = "";
	FILE *f = fopen(in(name), "r");
	const size_t n = f == NULL ? 0 : fread(got, 1, sizeof(got) - 1, f);

	if (f != NULL)
		fclose(f);
	return f != NULL && n == strlen(want) && strcmp(got, want) == 0;
}

/* Names in a folder, hidden ones included. */
static inline int
entries(const char *path)
{
	DIR *d = opendir(path);
	int n = -2; /* . and .. */

	if (d == NULL)
		return -1;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static inline unsigned
mode_of(const char *name)
{
	struct stat st;

	return lstat(in(name), &st) == 0 ? (unsigned)st.st_mode & 07777 : 0;
}

static inline struct tg_dir *
open_scratch(const char *name)
{
	struct tg_dir *d = NULL;

	if (tg_dir_open(in(name), &d, NULL) != TG_OK) {
		printf("Bail out! %s cannot be opened\n", name);
		exit(1);
	}
	return d;
}

static inline void
make_scratch(void)
{
	(void)strcpy(scratch, "/tmp/tg-dir-XXXXXX");
	if (mkdtemp(scratch) == NULL) {
		printf("Bail out! no folder below /tmp\n");
		exit(1);
	}
}

static inline int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

/* With all that is in it. */
static inline void
remove_scratch(void)
{
	(void)nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/*
 * From now on this process is on a machine without openat2(), as older kernels and the filters of
 * some containers are; on a file system without unnamed files (O_TMPFILE); or an ordinary user, who
 * may not name a file by its descriptor alone. False where the kernel does not do filters.
 */
enum lacking { LACKS_OPENAT2, LACKS_TMPFILE, LACKS_EMPTY_PATH };

static inline bool
lack(enum lacking what)
{
	static const struct {
		uint32_t call, arg, bit, why; /* bit 0: any use */
	} calls[] = {
		[LACKS_OPENAT2] = { SYS_openat2, 0, 0, ENOSYS },
		[LACKS_TMPFILE] = { SYS_openat, 2, O_TMPFILE & ~(uint32_t)O_DIRECTORY, EOPNOTSUPP },
		[LACKS_EMPTY_PATH] = { SYS_linkat, 4, AT_EMPTY_PATH, ENOENT },
	};
	const uint32_t arg = (uint32_t)(offsetof(struct seccomp_data, args) + 8 * calls[what].arg);
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[what].call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, arg),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, calls[what].bit, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | calls[what].why),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { TG_LEN(filter), filter };

	if (calls[what].bit == 0)
		filter[3] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA | BPF_K, 0, 0, 0);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

#endif
