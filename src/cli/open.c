#include <errno.h>
#include <unistd.h>

#include "cli/reader.h"
#include "util/dir.h"
#include "util/try.h"

struct open_opts {
	struct reader r;
	const char *out, *file, *to;
	bool tar, force;
};

static tg_status
stdout_write(void *ctx, const void *p, size_t n, struct tg_error *err)
{
	(void)ctx;
	return tg_fd_write(STDOUT_FILENO, p, n, "standard output", err);
}

static const struct tg_sink to_stdout = { stdout_write, NULL };

static tg_status
refuse_terminal(struct tg_error *err)
{
	TG_REQUIRE(!isatty(STDOUT_FILENO), err, TG_E_USAGE,
	    "a model would be written to the terminal: send standard output to a file or a program");
	return TG_OK;
}

/* One file, to standard output or to a path. */
static tg_status
open_file(const struct open_opts *o, const struct tg_progress *progress, struct tg_error *err)
{
	TG_AUTO(tg_newfile_closep) struct tg_newfile *f = NULL;
	const unsigned threads = (unsigned)o->r.threads;
	size_t i = 0;

	TG_TRY(tg_package_find(o->r.package, o->file, &i, err));
	if (strcmp(o->to, "-") == 0) {
		TG_TRY(refuse_terminal(err));
		return tg_package_copy(o->r.package, i, threads, &to_stdout, progress, err);
	}
	TG_REQUIRE(o->force || !tg_file_exists(o->to), err, TG_E_CONFLICT,
	    "%s: exists already (--force replaces it)", o->to);
	TG_TRY(tg_newfile_create_path(o->to, 0644, &f, err));
	const struct tg_sink sink = tg_newfile_sink(f);
	TG_TRY(tg_package_copy(o->r.package, i, threads, &sink, progress, err));
	return tg_newfile_commit(f, o->force, err);
}

static tg_status
deliver(const struct open_opts *o, const struct tg_progress *progress, struct tg_error *err)
{
	const unsigned threads = (unsigned)o->r.threads;

	if (o->tar) {
		TG_TRY(refuse_terminal(err));
		return tg_package_tar(o->r.package, threads, &to_stdout, progress, err);
	}
	if (o->file != NULL)
		return open_file(o, progress, err);
	return tg_package_extract(o->r.package, o->out, o->force, threads, progress, err);
}

static tg_status
open_package(struct open_opts *o, const char *path, struct tg_error *err)
{
	struct tg_progress_line line;
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(reader_open(&o->r, path, err));
	TG_TRY(reader_unlock(&o->r, err));
	tg_status s = deliver(o, tg_progress_start(&line, "opening"), &why);
	tg_progress_end(&line);
	errno = why.sys_errno;
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", path, why.text);
	/* a single file says nothing about the rest of the package */
	if (o->r.state != NULL && o->file != NULL)
		TG_TRY(tg_package_verify(o->r.package, (unsigned)o->r.threads, NULL, err));
	return reader_activated(&o->r, err);
}

static void
opts_done(struct open_opts *o)
{
	reader_done(&o->r);
}

static tg_status
run(int argc, char **argv, struct tg_error *err)
{
	TG_AUTO(opts_done) struct open_opts o = { .out = NULL };
	const struct tg_opt opts[] = {
		READER_KEY_OPTS(&o.r),
		READER_OPTS(&o.r),
		{ "out", TG_OPT_STRING, &o.out, NULL, "DIR", "all files into this folder" },
		{ "tar", TG_OPT_FLAG, &o.tar, NULL, NULL, "all files as a tar stream on standard output" },
		{ "file", TG_OPT_STRING, &o.file, NULL, "PATH",
		    "one file, to the path given as last word; - is standard output" },
		{ "force", TG_OPT_FLAG, &o.force, NULL, NULL, "replace files that are there" },
	};
	const char *words[2];
	size_t n = 0;
	bool help = false;

	TG_TRY(tg_opts_parse(&tg_cmd_open, argc, argv, opts, TG_LEN(opts), words, 2, &n, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n >= 1, err, TG_E_USAGE, "a package is needed (try 'tensorguard open -h')");
	TG_REQUIRE((o.out != NULL) + o.tar + (o.file != NULL) == 1, err, TG_E_USAGE,
	    "one of --out DIR, --tar and --file PATH is needed");
	TG_REQUIRE(n == (o.file != NULL ? 2 : 1), err, TG_E_USAGE,
	    o.file != NULL ? "--file PATH needs a place to go: a path, or - for standard output"
			   : "one word too many");
	o.to = n == 2 ? words[1] : NULL;
	return open_package(&o, words[0], err);
}

const struct tg_cmd tg_cmd_open = {
	.name = "open",
	.run = run,
	.synopsis = "PACKAGE --key FILE.priv --trust FILE.pub|DIR\n"
		    "         (--out DIR | --tar | --file PATH -|OUT) [OPTION...]",
	.summary = "verify a package and decrypt its files\n"
		   "Nothing is written before the step that covers it has passed, and nothing partial "
		   "stays\nbehind a failure. Files appear complete, with mode 0644.",
	.example = "tensorguard open model.tgsp --key ./keys/encryption.priv "
		   "--trust ./keys/signing.pub --out ./model",
};
