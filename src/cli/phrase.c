/* Passphrases, from a file or the terminal, and the keys they protect. */
#include <errno.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"
#include "crypto/key.h"
#include "util/file.h"
#include "util/try.h"
#include "util/wipe.h"


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
	TG_REQUIRE(tg_key_use_of(k) == use, err, TG_E_USAGE, "%s: a %s key, a%s %s key expected", path,
	    tg_key_suite(tg_key_use_of(k))->use_name, use == TG_KEY_ENCRYPTION ? "n" : "",
	    tg_key_suite(use)->use_name);
	TG_REQUIRE(!private || tg_key_has_private(k), err, TG_E_USAGE,
	    "%s: a public key, the private one (.priv) expected", path);
	if (tg_key_has_private(k) && others_can_read(path))
		tg_note("%s: others can read this private key (chmod 600 %s)", path, path);
	*ret = k;
	k = NULL;
	return TG_OK;
}
