#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "util/try.h"

static const struct tg_cmd *const commands[] = {
	&tg_cmd_keygen,
	&tg_cmd_build,
	&tg_cmd_verify,
	&tg_cmd_inspect,
	&tg_cmd_open,
	&tg_cmd_run,
	&tg_cmd_rekey,
	&tg_cmd_trust,
	&tg_cmd_evidence,
};

/* Before the first key is read: no core dumps, no debugger of the same user, private new files. */
static void
harden(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)umask(022);
	/* a closed pipe or a full disk is an error to be reported, not a sudden death */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
}

static void
usage(FILE *out)
{
	fprintf(out, "usage: tensorguard COMMAND [OPTION...]\n\ncommands:\n");
	for (size_t i = 0; i < TG_LEN(commands); i++)
		fprintf(out, "  %-10s %.*s\n", commands[i]->name,
		    (int)strcspn(commands[i]->summary, "\n"), commands[i]->summary);
	fprintf(out, "\n'tensorguard COMMAND -h' explains one; 'tensorguard --version' says what is "
		     "built in.\n\nexample:\n  tensorguard keygen --type both --out ./keys\n");
}

static int
version(void)
{
	printf("tensorguard " TG_VERSION "\n");
#ifdef TG_WITH_ONNXRUNTIME
	printf("run: onnx through ONNX Runtime, loaded at run time\n");
#else
	printf("run: not built in (no onnxruntime_c_api.h at build time)\n");
#endif
	return fflush(stdout) == 0 ? 0 : tg_status_exit_code(TG_E_IO);
}

static int
run(const struct tg_cmd *c, int argc, char **argv)
{
	struct tg_error err = TG_ERROR_INIT;
	tg_status s = c->run(argc, argv, &err);

	if (s == TG_OK)
		s = tg_flush_stdout(&err);
	if (tg_secret_unlocked() > 0)
		tg_note("%zu KiB of keys and plaintext could not be locked into memory "
			"(RLIMIT_MEMLOCK): they stay out of core dumps and forks, but may reach swap; "
			"--require locked refuses this",
		    tg_secret_unlocked() >> 10);
	if (s != TG_OK)
		tg_report_failure(c->name, s, &err);
	return tg_status_exit_code(s);
}

int
main(int argc, char **argv)
{
	harden();
	/* "tensorguard tgsp build" is "tensorguard build" */
	if (argc > 2 && strcmp(argv[1], "tgsp") == 0) {
		argc--;
		argv++;
	}
	if (argc > 1 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0 ||
			    strcmp(argv[1], "help") == 0)) {
		usage(stdout);
		return fflush(stdout) == 0 ? 0 : tg_status_exit_code(TG_E_IO);
	}
	if (argc > 1 && strcmp(argv[1], "--version") == 0)
		return version();
	for (size_t i = 0; argc > 1 && i < TG_LEN(commands); i++)
		if (strcmp(argv[1], commands[i]->name) == 0)
			return run(commands[i], argc - 1, argv + 1);
	if (argc > 1)
		fprintf(stderr, "tensorguard: unknown command '%s'\n", argv[1]);
	usage(stderr);
	return tg_status_exit_code(TG_E_USAGE);
}
