/* `tensorguard evidence`: its table of commands, and what they share. */
#include "cli/evidence.h"

#include <pwd.h>
#include <time.h>
#include <unistd.h>

#include "evidence/genesis.h"
#include "evidence/recover.h"
#include "util/file.h"
#include "util/newfile.h"
#include "util/text.h"
#include "util/try.h"

static const struct tg_cmd *const commands[] = {
	&tg_cmd_evidence_create,
	&tg_cmd_evidence_append,
	&tg_cmd_evidence_list,
	&tg_cmd_evidence_show,
	&tg_cmd_evidence_follow,
	&tg_cmd_evidence_checkpoint,
	&tg_cmd_evidence_prove,
	&tg_cmd_evidence_verify,
	&tg_cmd_evidence_export,
	&tg_cmd_evidence_witness,
};

/* ---- a log's folder ---- */

tg_status
elog_find(struct elog *e, const char *dir, bool create, struct tg_error *err)
{
	e->dir = dir;
	TG_TRY(tg_log_folder_open(dir, create, &e->folder, err));
	e->files = tg_log_folder_files(e->folder);
	return TG_OK;
}

tg_status
elog_find_log(struct elog *e, const char *dir, struct tg_error *err)
{
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(elog_find(e, dir, false, err));
	const tg_status s = tg_genesis_exists(e->files, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", dir, why.text);
	return TG_OK;
}

tg_status
elog_checkpoint(const struct elog *e, struct tg_buf *note, struct tg_error *err)
{
	struct tg_checkpoint c;
	struct tg_error why = TG_ERROR_INIT;
	const tg_status s = tg_checkpoint_newest(e->files, note, &c, &why);

	TG_REQUIRE(s != TG_E_NOTFOUND, err, s,
	    "%s: it has no checkpoint yet ('tensorguard evidence checkpoint' makes one)", e->dir);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", e->dir, why.text);
	return TG_OK;
}

tg_status
elog_key_path(const char *dir, char out[static ELOG_PATH_MAX], struct tg_error *err)
{
	TG_REQUIRE(snprintf(out, ELOG_PATH_MAX, "%s/log.priv", dir) < ELOG_PATH_MAX, err,
	    TG_E_LIMIT, "%s: path too long", dir);
	return TG_OK;
}

tg_status
elog_append(struct elog *e, const char *tenant, struct tg_error *err)
{
	char actor[512];
	struct tg_error why = TG_ERROR_INIT;

	cli_actor(actor);
	const struct tg_log_options options = {
		.tenant = tenant, .actor = actor, .now = cli_clock_us, .wait_ms = ELOG_WAIT_MS
	};
	const tg_status s = tg_log_open(e->files, &options, &e->log, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", e->dir, why.text);
	return TG_OK;
}

void
elog_done(struct elog *e)
{
	tg_log_close(e->log);
	tg_log_folder_close(e->folder);
}

int64_t
cli_clock_us(void *unused)
{
	struct timespec t;

	(void)unused;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void
cli_actor(char out[static 512])
{
	const struct passwd *pw = getpwuid(getuid());
	bool plain = pw != NULL && pw->pw_name[0] != '\0' && strlen(pw->pw_name) < 256;

	for (const char *p = plain ? pw->pw_name : ""; *p != '\0'; p++)
		plain = plain && *p > ' ' && *p < 0x7f && *p != '"' && *p != '\\';
	if (plain)
		(void)snprintf(out, 512, "{\"id\":\"uid:%lu\",\"name\":\"%s\",\"type\":\"user\"}",
		    (unsigned long)getuid(), pw->pw_name);
	else
		(void)snprintf(
		    out, 512, "{\"id\":\"uid:%lu\",\"type\":\"user\"}", (unsigned long)getuid());
}

tg_status
policy_load(const char *path, struct tg_log_policy **ret, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_LOG_POLICY };

	TG_TRY(tg_file_read(path, &text, err));
	return tg_log_policy_parse(tg_buf_view(&text), path, ret, err);
}

/* ---- records for people ---- */

/* The string of a judged event: of escapes only \" and \\ are in it. */
static void
print_string(tg_bytes raw, int most)
{
	char text[1024];
	size_t n = 0;

	for (size_t i = 0; i < raw.n && n + 1 < sizeof(text) && (int)n < most; i++) {
		i += raw.p[i] == '\\' && i + 1 < raw.n;
		text[n++] = (char)raw.p[i];
	}
	text[n] = '\0';
	tg_print_text(stdout, text);
}

/* Of the actor: its name, or its id. */
static void
print_actor(tg_bytes actor)
{
	struct tg_json_member m[8];
	tg_bytes who = { NULL, 0 };
	size_t n = 0;

	if (actor.p == NULL || tg_json_members(actor, "record", m, TG_LEN(m), &n, NULL) != TG_OK)
		return;
	for (size_t i = 0; i < n; i++)
		if (tg_bytes_equal(m[i].key, tg_bytes_str("name")) ||
		    (who.p == NULL && tg_bytes_equal(m[i].key, tg_bytes_str("id"))))
			who = m[i].value;
	printf("  ");
	if (who.p != NULL)
		print_string(who, 40);
}

/* Of an object: the strings of its members, one behind the other. */
static void
print_strings(tg_bytes object)
{
	struct tg_json_member m[16];
	size_t n = 0;

	if (object.p == NULL || tg_json_members(object, "record", m, TG_LEN(m), &n, NULL) != TG_OK)
		return;
	for (size_t i = 0; i < n; i++) {
		if (m[i].type != TG_JSON_STRING)
			continue;
		putchar(' ');
		print_string(m[i].value, 200);
	}
}

static void
print_time(tg_bytes timestamp)
{
	const int64_t us = tg_event_int(timestamp);
	const time_t t = (time_t)(us / 1000000);
	struct tm tm;
	char text[32] = "-";

	if (gmtime_r(&t, &tm) != NULL)
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	printf("%s.%03dZ", text, (int)(us % 1000000 / 1000));
}

void
record_print_line(const struct tg_event *e)
{
	printf("%8.*s  ", (int)e->value[TG_M_SEQUENCE].n, (const char *)e->value[TG_M_SEQUENCE].p);
	print_time(e->value[TG_M_TIMESTAMP]);
	printf("  %-25.*s", (int)e->value[TG_M_EVENT_TYPE].n,
	    (const char *)e->value[TG_M_EVENT_TYPE].p);
	print_actor(e->value[TG_M_ACTOR]);
	if ((e->has & TG_M_BIT(TG_M_RESULT)) != 0)
		print_strings(e->value[TG_M_RESULT]);
	if ((e->has & TG_M_BIT(TG_M_SUBJECT)) != 0)
		print_strings(e->value[TG_M_SUBJECT]);
	if ((e->has & TG_M_BIT(TG_M_NOTE)) != 0) {
		putchar(' ');
		print_string(e->value[TG_M_NOTE], 200);
	}
	putchar('\n');
}

void
record_name(struct tg_error *why, tg_status s, uint64_t sequence)
{
	static const char unnamed[] = "record: ";
	const struct tg_error was = *why;

	if (strncmp(was.text, unnamed, sizeof(unnamed) - 1) == 0)
		(void)tg_fail(why, s, "record %llu: %s", (unsigned long long)sequence,
		    was.text + sizeof(unnamed) - 1);
}

static void
print_raw(const char *label, const uint8_t *p, size_t n)
{
	printf("%-18s %.*s\n", label, (int)n, (const char *)p);
}

void
record_print_all(const struct tg_record *r, const struct tg_event *e)
{
	printf("%-18s ", "time");
	print_time(e->value[TG_M_TIMESTAMP]);
	putchar('\n');
	for (unsigned m = 0; m < TG_MEMBERS; m++)
		if ((e->has & TG_M_BIT(m)) != 0)
			print_raw(tg_member_rules[m].key, e->value[m].p, e->value[m].n);
	print_raw("prev_hash", r->p + TG_RECORD_PREV_AT, TG_HEX_HASH);
	print_raw("event_hash", r->p + TG_RECORD_EVENT_AT, TG_HEX_HASH);
	print_raw("chain_hash", r->p + TG_RECORD_CHAIN_AT, TG_HEX_HASH);
}

/* ---- texts ---- */

tg_status
put_text(const char *path, tg_bytes text, struct tg_error *err)
{
	TG_AUTO(tg_newfile_closep) struct tg_newfile *f = NULL;

	if (path == NULL || strcmp(path, "-") == 0) {
		(void)fwrite(text.p, 1, text.n, stdout);
		return tg_flush_stdout(err);
	}
	TG_TRY(tg_newfile_create_path(path, 0644, &f, err));
	const struct tg_sink to = tg_newfile_sink(f);
	TG_TRY(to.write(to.ctx, text.p, text.n, err));
	return tg_newfile_commit(f, true, err);
}

static tg_status
put_into_buf(void *ctx, const void *p, size_t n, struct tg_error *err)
{
	TG_REQUIRE(tg_buf_put(ctx, p, n) == TG_OK, err, TG_E_LIMIT, "text too long");
	return TG_OK;
}

struct tg_sink
buf_sink(struct tg_buf *b)
{
	return (struct tg_sink){ put_into_buf, b };
}

/* ---- the verb ---- */

static void
help(FILE *out)
{
	fprintf(out, "usage: tensorguard %s %s\n\n%s\n\ncommands:\n", tg_cmd_evidence.name,
	    tg_cmd_evidence.synopsis, tg_cmd_evidence.summary);
	for (size_t i = 0; i < TG_LEN(commands); i++)
		fprintf(out, "  %-11s %.*s\n", strchr(commands[i]->name, ' ') + 1,
		    (int)strcspn(commands[i]->summary, "\n"), commands[i]->summary);
	fprintf(out, "\n'tensorguard evidence COMMAND -h' explains one.\n\nexample:\n  %s\n",
	    tg_cmd_evidence.example);
}

static tg_status
run(int argc, char **argv, struct tg_error *err)
{
	if (argc > 1 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)) {
		help(stdout);
		return TG_OK;
	}
	for (size_t i = 0; argc > 1 && i < TG_LEN(commands); i++)
		if (strcmp(argv[1], strchr(commands[i]->name, ' ') + 1) == 0)
			return commands[i]->run(argc - 1, argv + 1, err);
	return tg_fail(err, TG_E_USAGE,
	    argc > 1 ? "\"%s\" is no command (try 'tensorguard evidence -h')"
		     : "a command is needed (try 'tensorguard evidence -h')%s",
	    argc > 1 ? argv[1] : "");
}

const struct tg_cmd tg_cmd_evidence = {
	.name = "evidence",
	.run = run,
	.synopsis = "COMMAND [OPTION...]",
	.summary =
	    "keep a log of what was done that others can check\n"
	    "Events stand in a hash chain and a Merkle tree; checkpoints of it are signed, and "
	    "witnesses\ncosign them. A copy of the log can be checked with nothing but public "
	    "keys.",
	.example = "tensorguard evidence verify ./log --policy ./log/log.policy",
};
