#include <errno.h>
#include <unistd.h>

#include "cli/reader.h"
#include "tensor/npy.h"
#include "util/newfile.h"
#include "util/try.h"

struct open_opts {
	struct reader r;
	const char *out, *file, *to, *tensor;
	bool tar, force, raw;
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

/* The last thing before plaintext leaves the program. */
static tg_status
allowed(struct open_opts *o, uint64_t bytes, struct tg_error *err)
{
	recorder_number(&o->r.rec, "metrics", "bytes", (int64_t)bytes);
	return recorder_success(&o->r.rec, "TGSP_OPEN_ALLOWED", err);
}

/* One file, to standard output or to a path. */
static tg_status
open_file(struct open_opts *o, const struct tg_progress *progress, struct tg_error *err)
{
	TG_AUTO(tg_newfile_closep) struct tg_newfile *f = NULL;
	const unsigned threads = (unsigned)o->r.threads;
	size_t i = 0;

	TG_TRY(tg_package_find(o->r.package, o->file, &i, err));
	const uint64_t size = tg_package_file(o->r.package, i).size;
	if (strcmp(o->to, "-") == 0) {
		TG_TRY(refuse_terminal(err));
		TG_TRY(allowed(o, size, err));
		return tg_package_copy(o->r.package, i, threads, &to_stdout, progress, err);
	}
	TG_REQUIRE(o->force || !tg_file_exists(o->to), err, TG_E_CONFLICT,
	    "%s: exists already (--force replaces it)", o->to);
	TG_TRY(tg_newfile_create_path(o->to, 0644, &f, err));
	const struct tg_sink sink = tg_newfile_sink(f);
	TG_TRY(allowed(o, size, err));
	TG_TRY(tg_package_copy(o->r.package, i, threads, &sink, progress, err));
	return tg_newfile_commit(f, o->force, err);
}

/* Values of other types than NumPy has are only to be had bare. */
static tg_status
npy_head(const struct open_opts *o, const struct tg_package_tensor *t, const struct tg_sink *to,
    struct tg_error *err)
{
	struct tg_buf head = { .max = TG_MAX_NPY_HEADER };
	struct tg_error why = TG_ERROR_INIT;

	if (o->raw)
		return TG_OK;
	tg_status s = tg_npy_header(t->dtype, t->rank, t->shape, &head, &why);
	if (s == TG_OK)
		s = to->write(to->ctx, head.p, head.n, &why);
	tg_buf_done(&head);
	TG_REQUIRE(s == TG_OK, err, s, "%s%s", why.text,
	    s == TG_E_UNSUPPORTED ? " (--raw writes the bare values)" : "");
	return TG_OK;
}

static tg_status
write_tensor(struct open_opts *o, const struct tg_package_tensor *t, const struct tg_sink *to,
    const struct tg_progress *progress, struct tg_error *err)
{
	TG_TRY(allowed(o, t->size, err));
	TG_TRY(npy_head(o, t, to, err));
	return tg_package_copy_range(o->r.package, t->offset, t->size, (unsigned)o->r.threads, to,
	    progress, err);
}

/* One tensor as a .npy file: only the chunks it lies in are read. */
static tg_status
open_tensor(struct open_opts *o, const struct tg_progress *progress, struct tg_error *err)
{
	TG_AUTO(tg_newfile_closep) struct tg_newfile *f = NULL;
	size_t i = 0;

	TG_TRY(tg_package_find_tensor(o->r.package, o->tensor, &i, err));
	const struct tg_package_tensor t = tg_package_tensor(o->r.package, i);
	if (strcmp(o->out, "-") == 0) {
		TG_TRY(refuse_terminal(err));
		return write_tensor(o, &t, &to_stdout, progress, err);
	}
	TG_REQUIRE(o->force || !tg_file_exists(o->out), err, TG_E_CONFLICT,
	    "%s: exists already (--force replaces it)", o->out);
	TG_TRY(tg_newfile_create_path(o->out, 0644, &f, err));
	const struct tg_sink sink = tg_newfile_sink(f);
	TG_TRY(write_tensor(o, &t, &sink, progress, err));
	return tg_newfile_commit(f, o->force, err);
}

static tg_status
deliver(struct open_opts *o, const struct tg_progress *progress, struct tg_error *err)
{
	const unsigned threads = (unsigned)o->r.threads;

	if (o->tar) {
		TG_TRY(refuse_terminal(err));
		TG_TRY(allowed(o, tg_package_plain_len(o->r.package), err));
		return tg_package_tar(o->r.package, threads, &to_stdout, progress, err);
	}
	if (o->file != NULL)
		return open_file(o, progress, err);
	if (o->tensor != NULL)
		return open_tensor(o, progress, err);
	TG_TRY(allowed(o, tg_package_plain_len(o->r.package), err));
	return tg_package_extract(o->r.package, o->out, o->force, threads, progress, err);
}

/* What is asked for, and where it is to go. */
static void
tell(struct open_opts *o)
{
	struct recorder *rec = &o->r.rec;

	recorder_text(rec, "subject", "path", o->tar ? "-" : o->file != NULL ? o->to : o->out);
	recorder_text(rec, "detail", "part",
	    o->file != NULL ? "file" : o->tensor != NULL ? "tensor" : "all");
	recorder_text(rec, "detail", "name", o->file != NULL ? o->file : o->tensor);
}

static tg_status
open_package(struct open_opts *o, struct tg_error *err)
{
	struct tg_progress_line line = { .shown = false };
	struct tg_error why = TG_ERROR_INIT;

	tell(o);
	TG_TRY(reader_open(&o->r, err));
	TG_TRY(reader_unlock(&o->r, err));
	/* a part says nothing about the rest of the package, which a floor is to stand for */
	tg_status s = o->r.state != NULL && (o->file != NULL || o->tensor != NULL)
	    ? tg_package_verify(o->r.package, (unsigned)o->r.threads, NULL, &why)
	    : TG_OK;
	if (s == TG_OK)
		s = deliver(o, tg_progress_start(&line, "opening"), &why);
	tg_progress_end(&line);
	errno = why.sys_errno;
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", o->r.path, why.text);
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
		READER_WORK_OPTS(&o.r),
		{ "out", TG_OPT_STRING, &o.out, NULL, "DIR", "all files into this folder" },
		{ "tar", TG_OPT_FLAG, &o.tar, NULL, NULL, "all files as a tar stream on standard output" },
		{ "file", TG_OPT_STRING, &o.file, NULL, "PATH",
		    "one file, to the path given as last word; - is standard output" },
		{ "tensor", TG_OPT_STRING, &o.tensor, NULL, "NAME",
		    "one tensor as a .npy file, which --out names (- is standard output)" },
		{ "raw", TG_OPT_FLAG, &o.raw, NULL, NULL, "with --tensor: bare values without .npy header" },
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
	    "one of --out DIR, --tar, --file PATH and --tensor NAME --out FILE.npy is needed");
	TG_REQUIRE((o.tensor == NULL && !o.raw) || (o.tensor != NULL && o.out != NULL), err, TG_E_USAGE,
	    o.tensor == NULL ? "--raw goes with --tensor" : "--tensor needs --out FILE.npy");
	TG_REQUIRE(n == (o.file != NULL ? 2 : 1), err, TG_E_USAGE,
	    o.file != NULL ? "--file PATH needs a place to go: a path, or - for standard output"
			   : "one word too many");
	o.to = n == 2 ? words[1] : NULL;
	TG_TRY(reader_start(&o.r, words[0], err));
	tg_status s = open_package(&o, err);
	return s == TG_OK ? TG_OK : recorder_failure(&o.r.rec, "TGSP_OPEN_DENIED", s, err);
}

const struct tg_cmd tg_cmd_open = {
	.name = "open",
	.run = run,
	.synopsis = "PACKAGE --key FILE.priv --trust FILE.pub|DIR\n"
		    "         (--out DIR | --tar | --file PATH -|OUT | --tensor NAME --out F.npy) [OPTION...]",
	.summary = "verify a package and decrypt its files\n"
		   "Nothing is written before the step that covers it has passed, and nothing partial "
		   "stays\nbehind a failure. Files appear complete, with mode 0644.",
	.example = "tensorguard open model.tgsp --key ./keys/encryption.priv "
		   "--trust ./keys/signing.pub --out ./model",
};
