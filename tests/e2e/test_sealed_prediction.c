/*
 * A real model, sealed by the program, runs through `tensorguard run`; what comes out is what ONNX
 * Runtime makes of the plain file, bit for bit, frame after frame.
 */
#include "../tap.h"

#include <ftw.h>
#include <limits.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tensor/npy.h"
#include "util/buf.h"
#include "util/file.h"

#ifdef TG_WITH_ONNXRUNTIME
#include "../unit/moai/direct.h"

#define FRAMES 5

extern char **environ;
static char program[PATH_MAX + 16], library[PATH_MAX], dir[] = "/tmp/tg-e2e.XXXXXX";

/* The program beside this test's build folder, run in it; its exit code. */
static int
run(const char *const argv[])
{
	pid_t pid = 0;
	int status = -1;

	if (posix_spawn(&pid, program, NULL, NULL, (char *const *)(uintptr_t)argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
write_npy(const char *file, const char *dtype, unsigned rank, const uint64_t *shape, const void *p,
    size_t n)
{
	struct tg_buf head = { .max = TG_MAX_NPY_HEADER };
	FILE *f = fopen(file, "wbe");

	if (f == NULL || tg_npy_header(dtype, rank, shape, &head, NULL) != TG_OK)
		abort();
	(void)fwrite(head.p, 1, head.n, f);
	(void)fwrite(p, 1, n, f);
	(void)fclose(f);
	tg_buf_done(&head);
}

/* The values of a .npy file; false unless there are exactly n bytes of F32. */
static bool
read_npy(const char *file, void *p, size_t n)
{
	struct tg_file *f = NULL;
	struct tg_npy npy;
	bool good = tg_file_open(file, &f, NULL) == TG_OK;

	if (good) {
		const struct tg_source src = tg_file_source(f);

		good = tg_npy_scan(&src, &npy, NULL) == TG_OK && npy.size == n &&
		    strcmp(npy.dtype, "F32") == 0 &&
		    src.read_at(src.ctx, p, n, npy.offset, NULL) == TG_OK;
	}
	tg_file_close(f);
	return good;
}

static bool
copy_file(const char *from, const char *to)
{
	struct tg_buf b = { .max = 64u << 20 };
	FILE *f = fopen(to, "wbe");
	bool good = f != NULL && tg_file_read(from, &b, NULL) == TG_OK && fwrite(b.p, 1, b.n, f) == b.n;

	if (f != NULL)
		good = fclose(f) == 0 && good;
	tg_buf_done(&b);
	return good;
}

static void
seal(const char *model)
{
	OK(mkdir("m", 0700) == 0 && copy_file(model, "m/silero_vad.onnx"));
	OK(run((const char *[]){ "tensorguard", "keygen", "--type", "both", "--out", "k",
	       "--no-passphrase", NULL }) == 0);
	OK(run((const char *[]){ "tensorguard", "build", "--input-dir", "m", "--out", "m.tgsp",
	       "--signing-key", "k/signing.priv", "--recipient", "k/encryption.pub", NULL }) == 0);
}

/* One frame through the program; its answer, and the state for the next frame in f. */
static bool
sealed_run(struct frame *f, float *answer)
{
	static const uint64_t x[] = { 1, WINDOW }, state[] = { 2, 1, 128 };

	write_npy("x.npy", "F32", 2, x, f->x, sizeof(f->x));
	write_npy("state.npy", "F32", 3, state, f->state, sizeof(f->state));
	write_npy("sr.npy", "I64", 0, NULL, &f->rate, sizeof(f->rate));
	return run((const char *[]){ "tensorguard", "run", "m.tgsp", "--key", "k/encryption.priv",
		   "--trust", "k/signing.pub", "--threads", "1", "--input", "input=x.npy", "--input",
		   "state=state.npy", "--input", "sr=sr.npy", "--output", "output=y.npy", "--output",
		   "stateN=next.npy", NULL }) == 0 &&
	    read_npy("y.npy", answer, sizeof(*answer)) &&
	    read_npy("next.npy", f->state, sizeof(f->state));
}

static void
sealed_and_plain_agree(const char *model)
{
	static struct frame ours, theirs;
	struct direct d = { 0 };
	unsigned long wrong = 0;

	ours.rate = theirs.rate = 16000;
	direct_open(&d, library, model);
	for (int k = 0; k < FRAMES; k++) {
		float got = -1;

		frame_fill(&ours, k);
		frame_fill(&theirs, k);
		const float want = direct_run(&d, &theirs);
		wrong += !sealed_run(&ours, &got) || memcmp(&got, &want, sizeof(got)) != 0 ||
		    memcmp(ours.state, theirs.state, sizeof(ours.state)) != 0;
	}
	OK_NONE(wrong, FRAMES, "predictions that differ");
	direct_close(&d);
}

static void
wrong_requests_are_refused(void)
{
	OK(run((const char *[]){ "tensorguard", "run", "m.tgsp", "--key", "k/encryption.priv", "--trust",
	       "k/signing.pub", "--input", "nonsense=x.npy", NULL }) == 64);
	OK(run((const char *[]){ "tensorguard", "run", "m.tgsp", "--key", "k/encryption.priv", "--trust",
	       "k/signing.pub", "--output", "nonsense=y2.npy", NULL }) == 64);
	OK(access("y2.npy", F_OK) != 0);
}

static int
remove_one(const char *file, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(file);
}

int
main(int argc, char **argv)
{
	char model[PATH_MAX], self[PATH_MAX];
	const char *given = getenv("TG_ONNXRUNTIME");

	(void)argc;
	if (realpath(given != NULL ? given : ".deps/ort/lib/libonnxruntime.so", library) == NULL ||
	    realpath(MODEL, model) == NULL) {
		SKIP("no ONNX Runtime or no " MODEL);
		return tap_done();
	}
	/* BUILD/tests/e2e/this -> BUILD/tensorguard */
	if (realpath(argv[0], self) == NULL)
		return 1;
	for (int up = 0; up < 3; up++)
		*strrchr(self, '/') = '\0';
	(void)snprintf(program, sizeof(program), "%s/tensorguard", self);
	(void)setenv("TG_ONNXRUNTIME", library, 1);
	OK(mkdtemp(dir) != NULL && chdir(dir) == 0);
	seal(model);
	sealed_and_plain_agree(model);
	wrong_requests_are_refused();
	OK(chdir("/") == 0 && nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
	return tap_done();
}
#else
int
main(void)
{
	SKIP("built without ONNX Runtime's header");
	return tap_done();
}
#endif
