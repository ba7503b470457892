/* cli/cli.h - what the verbs share: their table, their options, the terminal. */
#ifndef TG_CLI_CLI_H
#define TG_CLI_CLI_H

#include <stdio.h>
#include <tensorguard/io.h>
#include <tensorguard/key.h>
#include <tensorguard/limits.h>
#include <tensorguard/secret.h>

#include "json/json.h"

/* ---- verbs: one row and one file each ---- */

struct tg_cmd {
	const char *name;
	tg_status (*run)(int argc, char **argv, struct tg_error *err); /* argv[0]: the verb */
	const char *synopsis;
	const char *summary;
	const char *example;
};
extern const struct tg_cmd tg_cmd_keygen, tg_cmd_build, tg_cmd_verify, tg_cmd_inspect, tg_cmd_open,
    tg_cmd_run, tg_cmd_rekey, tg_cmd_trust, tg_cmd_evidence;

/* ---- options ---- */

#define TG_MAX_OPTION_VALUES 1024

/* Values of an option that may be given several times; borrowed from argv. */
struct tg_values {
	const char *at[TG_MAX_OPTION_VALUES];
	size_t n;
};

enum tg_opt_kind {
	TG_OPT_FLAG,   /* bool: given or not */
	TG_OPT_STRING, /* const char *: at most once */
	TG_OPT_LIST,   /* struct tg_values */
	TG_OPT_UINT,   /* uint64_t, decimal */
	TG_OPT_TIME,   /* int64_t: Unix seconds, or 2026-01-31T12:00:00Z */
};

struct tg_opt {
	const char *name; /* without the dashes */
	enum tg_opt_kind kind;
	void *to;
	bool *given; /* set when the option occurs; may be NULL */
	const char *value; /* what it takes, for the help */
	const char *help;
};

/*
 * Options in any place, "--name value" or "--name=value", "--" ends them. What is no option goes to
 * words. *ret_help: -h or --help was there, the help has been printed, and the verb is done.
 */
TG_MUST_CHECK tg_status tg_opts_parse(const struct tg_cmd *cmd, int argc, char **argv,
    const struct tg_opt *opts, size_t n_opts, const char **words, size_t max_words, size_t *ret_words,
    bool *ret_help, struct tg_error *err);
void tg_opts_help(const struct tg_cmd *cmd, const struct tg_opt *opts, size_t n, FILE *out);

/* --require locked, for every verb that holds secrets */
#define TG_OPT_REQUIRE(to)                                                                         \
	{ "require", TG_OPT_STRING, (to), NULL, "locked",                                          \
		"refuse to hold secrets in memory that cannot be locked" }
TG_MUST_CHECK tg_status tg_require(const char *what, struct tg_error *err); /* NULL: nothing */

/* A decimal number within 0 ... max; the same in text form as the option takes it. */
TG_MUST_CHECK tg_status tg_parse_uint(const char *text, const char *what, uint64_t max,
    uint64_t *ret, struct tg_error *err);
TG_MUST_CHECK tg_status tg_parse_time(const char *text, const char *what, int64_t *ret,
    struct tg_error *err);

/* ---- keys ---- */

/* Where a passphrase comes from: a file, or the terminal. `prompt` names what it is for. */
struct tg_phrase_source {
	const char *file; /* NULL: ask on the terminal */
	const char *prompt;
};
/* Adapts it for tg_key_load(); `s` must outlive the result. */
struct tg_passphrase tg_phrase_asker(struct tg_phrase_source *s);
TG_MUST_CHECK tg_status tg_phrase_read_file(const char *path, struct tg_secret **ret,
    struct tg_error *err);
/* Ask twice on the terminal. */
TG_MUST_CHECK tg_status tg_phrase_ask_new(const char *prompt, struct tg_secret **ret,
    struct tg_error *err);
bool tg_on_terminal(void); /* can somebody be asked? */

/* Load a key file and insist on its use, and on a private half when `private`. */
TG_MUST_CHECK tg_status tg_cli_key(const char *path, enum tg_key_use use, bool private,
    const char *phrase_file, struct tg_key **ret, struct tg_error *err);

/* ---- output ---- */

/* Progress on stderr when that is a terminal, and nothing otherwise; NULL then. */
struct tg_progress_line {
	struct tg_progress progress;
	const char *what;
	int64_t started_ms, shown_ms;
	bool shown;
};
const struct tg_progress *tg_progress_start(struct tg_progress_line *l, const char *what);
void tg_progress_end(struct tg_progress_line *l); /* clears the line */

/* One line of JSON on stdout. */
TG_MUST_CHECK tg_status tg_print_json(const struct tg_json *j, struct tg_error *err);
/* A string value of text from outside; bytes that are not UTF-8 come out as '?'. */
struct tg_json *tg_json_new_shown(const char *s);
/* Text from outside, with control characters and broken UTF-8 shown as '?'. */
void tg_print_text(FILE *out, const char *s);
/* Plural ending: "1 file", "2 files" */
#define TG_S(n) ((n) == 1 ? "" : "s")
/* "1.2 MiB" */
const char *tg_human_size(uint64_t n, char buf[static 24]);
/* The one line about a failure, on stderr. */
void tg_report_failure(const char *verb, tg_status s, const struct tg_error *err);
/* A note to people on stderr. */
void tg_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Buffered output reached its end? */
TG_MUST_CHECK tg_status tg_flush_stdout(struct tg_error *err);

#endif
