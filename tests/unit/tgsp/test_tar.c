/* Tar streams of paths of every length and kind: read by a reader of our own, and by tar(1). */
#include "forge.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch[] = "/tmp/tg-tar-XXXXXX";

/* The stream of a package with one small file at each of these paths, sorted. */
static void
stream_of(const char *const *paths, size_t n, struct tg_buf *out)
{
	struct tg_trust *t = trust_of(author, NULL);
	const struct tg_key *to[] = { reader };
	struct mem_file *files = calloc(n, sizeof(*files));
	const struct tg_build_spec spec = { .signer = author, .recipients = to, .n_recipients = 1 };
	const struct tg_policy policy = easy_policy();
	const struct tg_sink sink = keep_in(out);
	struct tg_package *p = NULL;
	tg_bytes bytes = { NULL, 0 };

	if (files == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		files[i] = (struct mem_file){ paths[i], tg_bytes_str(paths[i]) };
	MUST(pack(spec, files, n, NULL, &bytes, err));
	const struct tg_source src = tg_source_bytes(&bytes);
	MUST(tg_package_open(&src, t, &p, err));
	MUST(tg_package_unlock(p, reader, &policy, err));
	MUST(tg_package_tar(p, 1, &sink, NULL, err));
	tg_package_close(p);
	tg_trust_free(t);
	free((void *)(uintptr_t)bytes.p);
	free(files);
}

/* ---- a reader of ustar with pax headers ---- */

static size_t
octal(const uint8_t *p, size_t n)
{
	size_t v = 0;

	for (size_t i = 0; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (unsigned)(p[i] - '0');
	return v;
}

static bool
sum_holds(const uint8_t *h)
{
	unsigned sum = 0;

	for (size_t i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : h[i];
	return octal(h + 148, 8) == sum && memcmp(h + 257, "ustar\0", 6) == 0 &&
	    memcmp(h + 263, "00", 2) == 0;
}

/* "LEN path=VALUE\n" and nothing else. */
static bool
pax_path(const uint8_t *p, size_t n, char path[static 1100])
{
	char *end = NULL;
	const unsigned long len = strtoul((const char *)p, &end, 10);

	if (len != n || strncmp(end, " path=", 6) != 0 || p[n - 1] != '\n')
		return false;
	const size_t head = (size_t)((const uint8_t *)end - p) + 6;
	(void)snprintf(path, 1100, "%.*s", (int)(n - 1 - head), (const char *)p + head);
	return true;
}

/* Does the stream go on with this path, and its text? *ret_n: bytes of it; *ret_pax: it took a pax
 * header. */
static bool
goes_on(tg_bytes tar, const char *path, size_t *ret_n, bool *ret_pax)
{
	char name[1100];
	const uint8_t *h = tar.p;
	const size_t n = strlen(path);

	*ret_pax = h[156] == 'x';
	if (*ret_pax) {
		const size_t size = octal(h + 124, 12);

		if (!sum_holds(h) || strcmp((const char *)h, "pax_header") != 0 || size > 1100 ||
		    octal(h + 136, 12) != 1577836800 || octal(h + 100, 8) != 0644 ||
		    !pax_path(h + 512, size, name))
			return false;
		h += 512 + (size + 511) / 512 * 512;
	} else {
		(void)snprintf(name, sizeof(name), "%.155s%s%.100s", (const char *)h + 345,
		    h[345] != 0 ? "/" : "", (const char *)h);
	}
	*ret_n = (size_t)(h - tar.p) + 512 + (n + 511) / 512 * 512;
	return tar.n >= *ret_n && sum_holds(h) && h[156] == '0' && strcmp(name, path) == 0 &&
	    octal(h + 124, 12) == n && memcmp(h + 512, path, n) == 0;
}

/* One path, and then the end. */
static bool
holds(tg_bytes tar, const char *path, bool *ret_pax)
{
	static const uint8_t end[1024];
	size_t n = 0;

	return goes_on(tar, path, &n, ret_pax) && tar.n == n + 1024 &&
	    memcmp(tar.p + n, end, 1024) == 0;
}

/* n bytes in folders whose names have `step` bytes; the first one starts with n, and so no two are
 * in each other's way. */
static void
path_of(char *path, size_t n, size_t step)
{
	char number[8];

	for (size_t i = 0; i < n; i++)
		path[i] = i % (step + 1) == step && i + 1 < n ? '/' : (char)('a' + i % 26);
	path[n] = '\0';
	(void)snprintf(number, sizeof(number), "%04zu", n);
	memcpy(path, number, n < 4 ? n : 4);
}

/* All lengths in one package, for each way to cut them. */
static void
paths_of_every_length(void)
{
	static const size_t steps[] = { 5, 20, 99, 100, 101, 154, 155, 156, 254, 255 };
	static char text[512][1025];
	const char *paths[512];
	unsigned long wrong = 0, n = 0, with_pax = 0;

	for (size_t s = 0; s < TG_LEN(steps); s++) {
		struct tg_buf tar;
		size_t many = 0, at = 0;

		for (size_t len = 5; len <= 1024; len += len < 300 ? 1 : 31)
			if (len % (steps[s] + 1) != 0) { /* the last one would end in a slash */
				path_of(text[many], len, steps[s]);
				paths[many] = text[many];
				many++;
			}
		stream_of(paths, many, &tar);
		for (size_t i = 0; i < many; i++, n++) {
			size_t size = 0;
			bool pax = false;

			wrong +=
			    !goes_on((tg_bytes){ tar.p + at, tar.n - at }, paths[i], &size, &pax);
			wrong += pax && strlen(paths[i]) <= 100; /* what fits is plain ustar */
			wrong += !pax && strlen(paths[i]) > 256;
			with_pax += pax;
			at += size;
		}
		wrong += tar.n != at + 1024;
		tg_buf_done(&tar);
	}
	OK_NONE(wrong, n, "paths");
	OK(with_pax > 100 && n - with_pax > 100);
}

/* The split at a slash, at its borders. */
static void
paths_around_the_split(void)
{
	static const struct {
		size_t folder, name;
		bool pax;
	} splits[] = { { 155, 100, false }, { 155, 101, true }, { 1, 100, false }, { 1, 99, false },
		{ 100, 100, false }, { 200, 10, true }, { 156, 100, true } };

	for (size_t i = 0; i < TG_LEN(splits); i++) {
		char path[600];
		const char *one[] = { path };
		struct tg_buf tar;
		bool pax = false;

		memset(path, 'f', splits[i].folder);
		path[splits[i].folder] = '/';
		memset(path + splits[i].folder + 1, 'n', splits[i].name);
		path[splits[i].folder + 1 + splits[i].name] = '\0';
		stream_of(one, 1, &tar);
		named(holds(tg_buf_view(&tar), path, &pax) && pax == splits[i].pax,
		    "a folder of %zu and a name of %zu", splits[i].folder, splits[i].name);
		tg_buf_done(&tar);
	}
}

/* ---- tar(1) ---- */

extern char **environ;

static int
shell(const char *command)
{
	const char *const argv[] = { "sh", "-c", command, NULL };
	pid_t pid = 0;
	int status = -1;

	if (posix_spawnp(&pid, "sh", NULL, NULL, (char *const *)(uintptr_t)argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
tar_extracts_them(void)
{
	char b[4][1025], command[256], file[64];
	const char *paths[] = { "-rf", ".hidden", "a b", "a'b", b[0], b[1], b[2],
		"e/\xc3\xa9\xe2\x82\xac", "f", "g/*/?" };
	struct tg_buf tar;
	unsigned long wrong = 0;

	path_of(b[0], 100, 30);
	path_of(b[1], 256, 100);
	path_of(b[2], 1024, 200);
	b[0][0] = 'b', b[1][0] = 'c', b[2][0] = 'd';
	stream_of(paths, TG_LEN(paths), &tar);
	(void)snprintf(file, sizeof(file), "%s/t.tar", scratch);
	FILE *f = fopen(file, "wb");
	OK(f != NULL && fwrite(tar.p, 1, tar.n, f) == tar.n && fclose(f) == 0);
	(void)snprintf(
	    command, sizeof(command), "mkdir %s/t && tar xf %s -C %s/t", scratch, file, scratch);
	if (shell("command -v tar >/dev/null") != 0) {
		SKIP("no tar here");
		tg_buf_done(&tar);
		return;
	}
	OK(shell(command) == 0);
	for (size_t i = 0; i < TG_LEN(paths); i++) {
		char name[1200], got[1100];

		(void)snprintf(name, sizeof(name), "%s/t/%s", scratch, paths[i]);
		f = fopen(name, "rb");
		const size_t n = f == NULL ? 0 : fread(got, 1, sizeof(got), f);
		wrong += n != strlen(paths[i]) || memcmp(got, paths[i], n) != 0;
		if (f != NULL)
			fclose(f);
	}
	OK_NONE(wrong, TG_LEN(paths), "extracted files");
	tg_buf_done(&tar);
}

/* However the test ends. */
static void
remove_scratch(void)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -rf %s", scratch);
	(void)shell(command);
}

int
main(void)
{
	if (mkdtemp(scratch) == NULL || atexit(remove_scratch) != 0)
		return 1;
	cast_make();
	paths_of_every_length();
	paths_around_the_split();
	tar_extracts_them();
	cast_done();
	return tap_done();
}
