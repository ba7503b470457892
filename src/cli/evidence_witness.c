/* evidence witness: serve, or the lines that others put into their policies. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/evidence.h"
#include "evidence/witness.h"
#include "net/http.h"
#include "net/url.h"
#include "util/file.h"
#include "util/newfile.h"
#include "util/try.h"

struct witness_opts {
	const char *name, *key, *phrase_file, *logs, *state, *listen, *require, *url;
	bool public_address, json;
};

/* ---- what it remembers: STATE/HASH, the last note of each log ---- */

struct memory {
	const char *dir;
};

static tg_status
memory_path(
    const struct memory *m, const char *origin_hash, char out[static 4096], struct tg_error *err)
{
	TG_REQUIRE(snprintf(out, 4096, "%s/%s", m->dir, origin_hash) < 4096, err, TG_E_LIMIT,
	    "%s: path too long", m->dir);
	return TG_OK;
}

static tg_status
memory_load(void *ctx, const char *origin_hash, struct tg_buf *out, struct tg_error *err)
{
	char path[4096];

	TG_TRY(memory_path(ctx, origin_hash, path, err));
	const tg_status s = tg_file_read(path, out, err);
	TG_REQUIRE(
	    s != TG_E_NOTFOUND, err, s, "checkpoint: none of such a log"); /* others read this */
	return s;
}

static tg_status
memory_save(void *ctx, const char *origin_hash, tg_bytes note, struct tg_error *err)
{
	TG_AUTO(tg_newfile_closep) struct tg_newfile *f = NULL;
	char path[4096];

	TG_TRY(memory_path(ctx, origin_hash, path, err));
	TG_TRY(tg_newfile_create_path(path, 0644, &f, err));
	const struct tg_sink to = tg_newfile_sink(f);
	TG_TRY(to.write(to.ctx, note.p, note.n, err));
	return tg_newfile_commit(f, true, err);
}

/* Two of them over one memory could cosign two logs of one name. */
static tg_status
memory_lock(const struct memory *m, int *ret, struct tg_error *err)
{
	TG_AUTO(tg_fd_closep) int dir = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	TG_REQUIRE(dir >= 0, err, TG_E_IO, "%s: %m", m->dir);
	TG_REQUIRE(flock(dir, LOCK_EX | LOCK_NB) == 0, err, TG_E_BUSY,
	    "%s: another witness remembers there", m->dir);
	*ret = dir;
	dir = -1;
	return TG_OK;
}

/* ---- serving ---- */

static struct tg_http_server *running;

static void
stop(int sig)
{
	(void)sig;
	tg_http_server_stop(running);
}

static void
answer(struct tg_witness_reply *from, const struct tg_error *why, const char *what,
    struct tg_http_reply *to)
{
	to->status = (unsigned)from->status;
	to->content_type = from->content_type;
	if (tg_buf_put(&to->body, from->body.p, from->body.n) != TG_OK)
		to->status = 500;
	tg_buf_done(&from->body);
	if (to->status != 200 && to->status != 409) /* that is how a log asks what was seen last */
		tg_note("%s: %u: %s", what, to->status, why->text);
}

static void
add_checkpoint(void *ctx, const struct tg_http_call *call, struct tg_http_reply *reply)
{
	const struct tg_witness *w = ctx;
	struct tg_witness_reply r = { .status = 500, .body = { .max = TG_MAX_NOTE } };
	struct tg_error why = TG_ERROR_INIT;

	tg_witness_add_checkpoint(w, call->body, time(NULL), &r, &why);
	answer(&r, &why, "add-checkpoint", reply);
}

static void
get_checkpoint(void *ctx, const struct tg_http_call *call, struct tg_http_reply *reply)
{
	const struct tg_witness *w = ctx;
	struct tg_witness_reply r = { .status = 500, .body = { .max = TG_MAX_NOTE } };
	struct tg_error why = TG_ERROR_INIT;
	const char *hash = call->path + 1;

	tg_witness_checkpoint(w, (tg_bytes){ (const uint8_t *)hash, strcspn(hash, "/") }, &r, &why);
	answer(&r, &why, "checkpoint", reply);
}

/* "ADDRESS:PORT", the address of IPv6 in brackets. */
static tg_status
split_listen(const char *text, char address[static 64], uint16_t *ret_port, struct tg_error *err)
{
	const char *colon = strrchr(text, ':');
	uint64_t port = 0;

	TG_REQUIRE(colon != NULL, err, TG_E_USAGE, "--listen: \"%s\", ADDRESS:PORT expected", text);
	TG_TRY(tg_parse_uint(colon + 1, "--listen", 65535, &port, err));
	size_t n = (size_t)(colon - text);
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	TG_REQUIRE(
	    n > 0 && n < 64, err, TG_E_USAGE, "--listen: an address before the colon expected");
	memcpy(address, text, n);
	address[n] = '\0';
	*ret_port = (uint16_t)port;
	return TG_OK;
}

static tg_status
serve_until_stopped(const struct witness_opts *o, struct tg_witness *w, struct tg_error *err)
{
	TG_AUTO(tg_http_server_freep) struct tg_http_server *server = NULL;
	const struct tg_http_route routes[] = {
		{ "POST", "/add-checkpoint", add_checkpoint, w },
		{ "GET", "/*/checkpoint", get_checkpoint, w },
	};
	char address[64] = "127.0.0.1";
	struct tg_http_options options = { .address = address,
		.public_address = o->public_address,
		.max_body = 2 * TG_MAX_NOTE,
		.routes = routes,
		.n_routes = TG_LEN(routes) };
	const struct sigaction act = { .sa_handler = stop };

	TG_TRY(split_listen(o->listen, address, &options.port, err));
	struct tg_error why = TG_ERROR_INIT;
	tg_status s = tg_http_server_new(&options, &server, &why);
	TG_REQUIRE(s == TG_OK, err, s, s == TG_E_POLICY ? "%s: --public-address" : "%s", why.text);
	running = server;
	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
	printf("http://%s%s%s:%u/\n", strchr(address, ':') ? "[" : "", address,
	    strchr(address, ':') ? "]" : "", tg_http_server_port(server));
	s = tg_flush_stdout(err);
	if (s == TG_OK)
		s = tg_http_server_run(server, err);
	/* the server goes before the process does */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	running = NULL;
	return s;
}

static tg_status
serve(const struct witness_opts *o, const struct tg_key *key, struct tg_error *err)
{
	TG_AUTO(tg_log_policy_freep) struct tg_log_policy *logs = NULL;
	TG_AUTO(tg_fd_closep) int lock = -1;
	struct memory memory = { o->state };
	struct tg_note_key *k[2] = { NULL, NULL };

	TG_REQUIRE(o->logs != NULL && o->state != NULL, err, TG_E_USAGE,
	    "serve needs --logs FILE and --state DIR (try 'tensorguard evidence witness -h')");
	TG_TRY(policy_load(o->logs, &logs, err));
	TG_TRY(tg_checkpoint_vkeys(key, o->name, true, k, err)); /* is it a name? */
	tg_note_key_free(k[0]);
	tg_note_key_free(k[1]);
	TG_REQUIRE(mkdir(o->state, 0755) == 0 || errno == EEXIST, err, TG_E_IO, "%s: %m", o->state);
	TG_TRY(memory_lock(&memory, &lock, err));
	struct tg_witness w = { .name = o->name,
		.key = key,
		.logs = logs,
		.memory = { memory_load, memory_save, &memory } };
	return serve_until_stopped(o, &w, err);
}

/* ---- its keys ---- */

static tg_status
print_keys(const struct witness_opts *o, const struct tg_key *key, struct tg_error *err)
{
	static const char *const suffix[] = { "ed25519", "mldsa44" };
	struct tg_note_key *k[2] = { NULL, NULL };
	TG_AUTO(tg_json_freep) struct tg_json *j = tg_json_new_object();
	struct tg_url url;

	TG_REQUIRE(j != NULL, err, TG_E_NOMEM, "evidence: out of memory");
	if (o->url != NULL)
		TG_TRY(tg_url_parse(o->url, &url, err));
	tg_status s = tg_checkpoint_vkeys(key, o->name, true, k, err);

	for (int i = 0; s == TG_OK && i < 2; i++) {
		struct tg_buf text = { .max = 4096 };

		s = tg_note_key_print(k[i], &text);
		if (s == TG_OK && !o->json)
			printf("witness %s-%s %.*s%s%s\n", o->name, suffix[i], (int)text.n,
			    (const char *)text.p, o->url == NULL ? "" : " ",
			    o->url == NULL ? "" : o->url);
		else if (s == TG_OK)
			s = tg_json_set(j, suffix[i], tg_json_new_str(tg_buf_view(&text)));
		tg_buf_done(&text);
	}
	tg_note_key_free(k[0]);
	tg_note_key_free(k[1]);
	TG_TRY(s);
	if (o->json && o->url != NULL)
		TG_REQUIRE(tg_json_set(j, "url", tg_json_new_str(tg_bytes_str(o->url))) == TG_OK,
		    err, TG_E_NOMEM, "evidence: out of memory");
	if (o->json)
		return tg_print_json(j, err);
	printf("group %s all %s-ed25519 %s-mldsa44\n", o->name, o->name, o->name);
	return TG_OK;
}

/* ---- the verb ---- */

static tg_status
run(int argc, char **argv, struct tg_error *err)
{
	struct witness_opts o = { .listen = "127.0.0.1:0" };
	TG_AUTO(tg_key_freep) struct tg_key *key = NULL;
	const struct tg_opt opts[] = {
		{ "name", TG_OPT_STRING, &o.name, NULL, "NAME",
		    "the witness's name, a URL without scheme: witness.example/w1" },
		{ "key", TG_OPT_STRING, &o.key, NULL, "FILE.priv",
		    "its private key ('keygen --type witness'); for keys the public one will do" },
		{ "passphrase-file", TG_OPT_STRING, &o.phrase_file, NULL, "FILE",
		    "its passphrase, the first line of FILE" },
		{ "logs", TG_OPT_STRING, &o.logs, NULL, "FILE",
		    "a policy file with the logs that it witnesses" },
		{ "state", TG_OPT_STRING, &o.state, NULL, "DIR",
		    "where it remembers them; made if it is absent, and never to be lost" },
		{ "listen", TG_OPT_STRING, &o.listen, NULL, "ADDRESS:PORT",
		    "default 127.0.0.1:0, a free port, which is printed" },
		{ "public-address", TG_OPT_FLAG, &o.public_address, NULL, NULL,
		    "--listen may be an address that other machines reach, without TLS" },
		{ "url", TG_OPT_STRING, &o.url, NULL, "URL",
		    "where it can be asked, to stand in the lines of keys" },
		TG_OPT_REQUIRE(&o.require),
		{ "json", TG_OPT_FLAG, &o.json, NULL, NULL, "keys as JSON" },
	};
	const char *words[1];
	size_t n = 0;
	bool help = false;

	TG_TRY(tg_opts_parse(
	    &tg_cmd_evidence_witness, argc, argv, opts, TG_LEN(opts), words, 1, &n, &help, err));
	if (help)
		return TG_OK;
	const bool serving = n == 1 && strcmp(words[0], "serve") == 0;
	TG_REQUIRE(serving || (n == 1 && strcmp(words[0], "keys") == 0), err, TG_E_USAGE,
	    "serve or keys expected (try 'tensorguard evidence witness -h')");
	TG_REQUIRE(o.name != NULL && o.key != NULL, err, TG_E_USAGE,
	    "--name NAME and --key FILE are needed (try 'tensorguard evidence witness -h')");
	TG_REQUIRE(!serving || o.url == NULL, err, TG_E_USAGE, "--url goes with keys");
	TG_TRY(tg_require(o.require, err));
	TG_TRY(tg_cli_key(o.key, TG_KEY_CHECKPOINT, serving, o.phrase_file, &key, err));
	return serving ? serve(&o, key, err) : print_keys(&o, key, err);
}

const struct tg_cmd tg_cmd_evidence_witness = {
	.name = "evidence witness",
	.run = run,
	.synopsis = "(serve --logs FILE --state DIR | keys) --name NAME --key FILE [OPTION...]",
	.summary =
	    "cosign other people's checkpoints (C2SP tlog-witness)\n"
	    "serve answers POST /add-checkpoint: it signs a log's checkpoint when that extends the "
	    "last one it\nhas seen, and remembers it before it answers. keys prints the lines for "
	    "a "
	    "policy file.",
	.example =
	    "tensorguard evidence witness serve --name witness.example/w1 --key ./witness.priv "
	    "--logs ./log/log.policy --state ./seen",
};
