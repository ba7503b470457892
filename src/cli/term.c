/* The terminal: passphrases, progress, text that came from outside. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <tensorguard/limits.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "util/file.h"
#include "util/log.h"
#include "util/text.h"
#include "util/try.h"
#include "util/wipe.h"

/* ---- passphrases ---- */

bool
tg_on_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* Cut to n bytes: a fresh block of exactly that size. */
static tg_status
cut(const uint8_t *p, size_t n, struct tg_secret **ret, struct tg_error *err)
{
	TG_REQUIRE(n > 0, err, TG_E_USAGE, "an empty passphrase protects nothing");
	TG_TRY(tg_secret_new(n, ret, err));
	memcpy(tg_secret_bytes(*ret), p, n);
	return TG_OK;
}

tg_status
tg_phrase_read_file(const char *path, struct tg_secret **ret, struct tg_error *err)
{
	TG_AUTO(tg_secret_freep) struct tg_secret *all = NULL;

	TG_TRY(tg_file_read_secret(path, TG_MAX_PASSPHRASE, &all, err));
	const uint8_t *p = tg_secret_bytes(all), *end = memchr(p, '\n', tg_secret_len(all));
	return cut(p, end == NULL ? tg_secret_len(all) : (size_t)(end - p), ret, err);
}

/* One line without echo, straight into protected memory. */
static tg_status
read_line(int fd, struct tg_secret *to, size_t *ret_n, struct tg_error *err)
{
	size_t n = 0;

	for (;;) {
		uint8_t *p = tg_secret_bytes(to) + n;
		ssize_t got = read(fd, p, 1);

		if (got < 0 && errno == EINTR)
			continue;
		TG_REQUIRE(got >= 0, err, TG_E_IO, "terminal: %m");
		if (got == 0 || *p == '\n')
			break;
		TG_REQUIRE(++n < tg_secret_len(to), err, TG_E_LIMIT, "passphrase longer than %u bytes",
		    TG_MAX_PASSPHRASE);
	}
	*ret_n = n;
	return TG_OK;
}

static tg_status
ask(const char *prompt, struct tg_secret **ret, struct tg_error *err)
{
	TG_AUTO(tg_secret_freep) struct tg_secret *line = NULL;
	struct termios old, quiet;
	size_t n = 0;

	TG_REQUIRE(tg_on_terminal(), err, TG_E_AUTH,
	    "%s: a passphrase is needed: give --passphrase-file or use a terminal", prompt);
	TG_TRY(tg_secret_new(TG_MAX_PASSPHRASE + 1, &line, err));
	TG_REQUIRE(tcgetattr(STDIN_FILENO, &old) == 0, err, TG_E_IO, "terminal: %m");
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	fprintf(stderr, "%s: ", prompt);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	tg_status s = read_line(STDIN_FILENO, line, &n, err);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	fputc('\n', stderr);
	TG_TRY(s);
	return cut(tg_secret_bytes(line), n, ret, err);
}

tg_status
tg_phrase_ask_new(const char *prompt, struct tg_secret **ret, struct tg_error *err)
{
	TG_AUTO(tg_secret_freep) struct tg_secret *first = NULL, *second = NULL;

	TG_TRY(ask(prompt, &first, err));
	TG_TRY(ask("the same again", &second, err));
	TG_REQUIRE(tg_secret_len(first) == tg_secret_len(second) &&
		tg_equal_ct(tg_secret_bytes(first), tg_secret_bytes(second), tg_secret_len(first)),
	    err, TG_E_USAGE, "the two passphrases differ");
	*ret = first;
	first = NULL;
	return TG_OK;
}

static tg_status
ask_source(void *ctx, struct tg_secret **ret, struct tg_error *err)
{
	const struct tg_phrase_source *s = ctx;

	return s->file != NULL ? tg_phrase_read_file(s->file, ret, err) : ask(s->prompt, ret, err);
}

struct tg_passphrase
tg_phrase_asker(struct tg_phrase_source *s)
{
	return (struct tg_passphrase){ ask_source, s };
}

static bool
others_can_read(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & 077) != 0;
}

tg_status
tg_cli_key(const char *path, enum tg_key_use use, bool private, const char *phrase_file,
    struct tg_key **ret, struct tg_error *err)
{
	TG_AUTO(tg_key_freep) struct tg_key *k = NULL;
	char prompt[256];
	struct tg_phrase_source source = { phrase_file, prompt };
	const struct tg_passphrase asker = tg_phrase_asker(&source);

	(void)snprintf(prompt, sizeof(prompt), "passphrase for %s", path);
	TG_TRY(tg_key_load(path, &asker, &k, err));
	TG_REQUIRE(tg_key_use_of(k) == use, err, TG_E_USAGE, "%s: a key for %s, one for %s expected",
	    path, use == TG_KEY_SIGNING ? "encryption" : "signing",
	    use == TG_KEY_SIGNING ? "signing" : "encryption");
	TG_REQUIRE(!private || tg_key_has_private(k), err, TG_E_USAGE,
	    "%s: a public key, the private one (.priv) expected", path);
	if (tg_key_has_private(k) && others_can_read(path))
		tg_note("%s: others can read this private key (chmod 600 %s)", path, path);
	*ret = k;
	k = NULL;
	return TG_OK;
}

/* ---- progress ---- */

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
show(void *ctx, uint64_t done, uint64_t total)
{
	struct tg_progress_line *l = ctx;
	const int64_t now = now_ms();
	char a[24], b[24];

	/* nothing for what is over before anybody could read it */
	if (now - l->started_ms < 500 || now - l->shown_ms < 100)
		return;
	l->shown_ms = now;
	l->shown = true;
	const double rate = (double)done / (double)(now - l->started_ms) * 1000;
	fprintf(stderr, "\r%s: %s of %s (%d %%), %s/s \033[K", l->what, tg_human_size(done, a),
	    tg_human_size(total, b), total == 0 ? 100 : (int)(done * 100 / total),
	    tg_human_size((uint64_t)rate, (char[24]){ 0 }));
}

const struct tg_progress *
tg_progress_start(struct tg_progress_line *l, const char *what)
{
	*l = (struct tg_progress_line){ { show, l }, what, now_ms(), 0, false };
	return isatty(STDERR_FILENO) ? &l->progress : NULL;
}

void
tg_progress_end(struct tg_progress_line *l)
{
	if (l->shown)
		fprintf(stderr, "\r\033[K");
}

/* ---- output ---- */

const char *
tg_human_size(uint64_t n, char buf[static 24])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)n;
	size_t u = 0;

	for (; v >= 1024 && u + 1 < TG_LEN(units); u++)
		v /= 1024;
	(void)snprintf(buf, 24, u == 0 ? "%.0f %s" : "%.1f %s", v, units[u]);
	return buf;
}

void
tg_print_text(FILE *out, const char *s)
{
	tg_log_text(out, s);
}

/* TG_LOG=json makes notes and errors lines of JSON */
static enum tg_log_format
log_format(void)
{
	const char *v = getenv("TG_LOG");

	return v != NULL && strcmp(v, "json") == 0 ? TG_LOG_JSON : TG_LOG_TEXT;
}

struct tg_json *
tg_json_new_shown(const char *s)
{
	struct tg_json *j = tg_json_new_str(tg_bytes_str(s));
	char *copy = j == NULL ? strdup(s) : NULL;

	if (copy != NULL) {
		for (char *p = copy; *p != '\0'; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
		j = tg_json_new_str(tg_bytes_str(copy));
		free(copy);
	}
	return j;
}

void
tg_note(const char *fmt, ...)
{
	char text[TG_ERROR_TEXT_MAX];
	const struct tg_log_field message = { "message", text };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tg_log_line(stderr, log_format(), TG_LOG_INFO, "note", &message, 1);
}

void
tg_report_failure(const char *verb, tg_status s, const struct tg_error *err)
{
	char event[64], code[8];
	const struct tg_log_field fields[] = { { "message", err->text },
		{ "status", tg_status_name(s) }, { "exit", code } };

	(void)snprintf(event, sizeof(event), "tensorguard %s", verb);
	(void)snprintf(code, sizeof(code), "%d", tg_status_exit_code(s));
	if (log_format() == TG_LOG_JSON) {
		tg_log_line(stderr, TG_LOG_JSON, TG_LOG_ERROR, event, fields, TG_LEN(fields));
		return;
	}
	/* people want the kind of failure behind the sentence */
	char text[TG_ERROR_TEXT_MAX + 32];
	const struct tg_log_field message = { "message", text };

	(void)snprintf(text, sizeof(text), "%s (%s)", err->text, tg_status_name(s));
	tg_log_line(stderr, TG_LOG_TEXT, TG_LOG_ERROR, event, &message, 1);
}

tg_status
tg_flush_stdout(struct tg_error *err)
{
	TG_REQUIRE(fflush(stdout) == 0 && !ferror(stdout), err, TG_E_IO, "standard output: %m");
	return TG_OK;
}

tg_status
tg_print_json(const struct tg_json *j, struct tg_error *err)
{
	struct tg_buf text = { .max = SIZE_MAX };
	tg_status s = tg_json_write(j, &text, err);

	if (s == TG_OK) {
		(void)fwrite(text.p, 1, text.n, stdout);
		fputc('\n', stdout);
		s = tg_flush_stdout(err);
	}
	tg_buf_done(&text);
	return s;
}
