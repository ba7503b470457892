#include <errno.h>
#include <stdlib.h>
#include <tensorguard/limits.h>
#include <time.h>

#include "cli/cli.h"
#include "util/try.h"

tg_status
tg_parse_uint(const char *text, const char *what, uint64_t max, uint64_t *ret,
    struct tg_error *err)
{
	uint64_t v = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++)
		if (!tg_mul_u64(v, 10, &v) || !tg_add_u64(v, (uint64_t)(*p - '0'), &v))
			v = UINT64_MAX;
	TG_REQUIRE(*p == '\0' && p > text && v <= max, err, TG_E_USAGE,
	    "%s: \"%s\", a number 0 ... %llu expected", what, text, (unsigned long long)max);
	*ret = v;
	return TG_OK;
}

tg_status
tg_parse_time(const char *text, const char *what, int64_t *ret, struct tg_error *err)
{
	struct tm tm = { 0 };
	uint64_t v = 0;
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

	if (end != NULL && *end == '\0') {
		*ret = timegm(&tm);
		return TG_OK;
	}
	TG_REQUIRE(tg_parse_uint(text, what, TG_MAX_JSON_INT, &v, NULL) == TG_OK, err, TG_E_USAGE,
	    "%s: \"%s\", Unix seconds or a time like 2026-01-31T12:00:00Z expected", what, text);
	*ret = (int64_t)v;
	return TG_OK;
}

tg_status
tg_require(const char *what, struct tg_error *err)
{
	if (what == NULL)
		return TG_OK;
	TG_REQUIRE(strcmp(what, "locked") == 0, err, TG_E_USAGE, "--require: \"%s\", locked expected",
	    what);
	tg_secret_require_locked();
	return TG_OK;
}

static const struct tg_opt *
find(const struct tg_opt *opts, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(opts[i].name) == len && memcmp(opts[i].name, name, len) == 0)
			return &opts[i];
	return NULL;
}

static tg_status
store(const struct tg_opt *o, const char *value, bool again, struct tg_error *err)
{
	char what[64];
	struct tg_values *list = o->to;

	(void)snprintf(what, sizeof(what), "--%s", o->name);
	TG_REQUIRE(!again || o->kind == TG_OPT_LIST || o->kind == TG_OPT_FLAG, err, TG_E_USAGE,
	    "%s: given twice", what);
	switch (o->kind) {
	case TG_OPT_FLAG:
		*(bool *)o->to = true;
		return TG_OK;
	case TG_OPT_STRING:
		*(const char **)o->to = value;
		return TG_OK;
	case TG_OPT_LIST:
		TG_REQUIRE(list->n < TG_LEN(list->at), err, TG_E_LIMIT, "%s: given more than %zu times",
		    what, TG_LEN(list->at));
		list->at[list->n++] = value;
		return TG_OK;
	case TG_OPT_UINT:
		return tg_parse_uint(value, what, TG_MAX_JSON_INT, o->to, err);
	case TG_OPT_TIME:
		return tg_parse_time(value, what, o->to, err);
	}
	return TG_E_INTERNAL;
}

struct parse {
	const struct tg_cmd *cmd;
	const struct tg_opt *opts;
	size_t n_opts;
	bool seen[64];
	int argc, at;
	char **argv;
};

static tg_status
option(struct parse *p, struct tg_error *err)
{
	const char *name = p->argv[p->at] + 2, *value = strchr(name, '=');
	const size_t len = value == NULL ? strlen(name) : (size_t)(value - name);
	const struct tg_opt *o = find(p->opts, p->n_opts, name, len);

	TG_REQUIRE(o != NULL, err, TG_E_USAGE, "unknown option --%.*s (try 'tensorguard %s -h')",
	    (int)len, name, p->cmd->name);
	if (o->kind == TG_OPT_FLAG) {
		TG_REQUIRE(value == NULL, err, TG_E_USAGE, "--%s takes no value", o->name);
	} else if (value != NULL) {
		value++;
	} else {
		TG_REQUIRE(p->at + 1 < p->argc, err, TG_E_USAGE, "--%s: %s expected", o->name, o->value);
		value = p->argv[++p->at];
	}
	TG_TRY(store(o, value, p->seen[o - p->opts], err));
	p->seen[o - p->opts] = true;
	if (o->given != NULL)
		*o->given = true;
	return TG_OK;
}

tg_status
tg_opts_parse(const struct tg_cmd *cmd, int argc, char **argv, const struct tg_opt *opts,
    size_t n_opts, const char **words, size_t max_words, size_t *ret_words, bool *ret_help,
    struct tg_error *err)
{
	struct parse p = { .cmd = cmd, .opts = opts, .n_opts = n_opts, .argc = argc, .at = 1,
		.argv = argv };
	size_t n = 0;
	bool only_words = false;

	TG_REQUIRE(n_opts <= TG_LEN(p.seen), err, TG_E_INTERNAL, "more options than expected");
	for (; p.at < argc; p.at++) {
		const char *a = argv[p.at];

		if (!only_words && (strcmp(a, "-h") == 0 || strcmp(a, "--help") == 0)) {
			tg_opts_help(cmd, opts, n_opts, stdout);
			*ret_help = true;
			return TG_OK;
		}
		if (!only_words && strcmp(a, "--") == 0) {
			only_words = true;
		} else if (!only_words && strncmp(a, "--", 2) == 0) {
			TG_TRY(option(&p, err));
		} else {
			TG_REQUIRE(only_words || a[0] != '-' || a[1] == '\0', err, TG_E_USAGE,
			    "unknown option %s (try 'tensorguard %s -h')", a, cmd->name);
			TG_REQUIRE(n < max_words, err, TG_E_USAGE,
			    "one word too many: \"%s\" (try 'tensorguard %s -h')", a, cmd->name);
			words[n++] = a;
		}
	}
	*ret_words = n;
	*ret_help = false;
	return TG_OK;
}

void
tg_opts_help(const struct tg_cmd *cmd, const struct tg_opt *opts, size_t n, FILE *out)
{
	fprintf(out, "usage: tensorguard %s %s\n\n%s\n", cmd->name, cmd->synopsis, cmd->summary);
	if (n > 0)
		fprintf(out, "\noptions:\n");
	for (size_t i = 0; i < n; i++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "--%s%s%s", opts[i].name,
		    opts[i].value == NULL ? "" : " ", opts[i].value == NULL ? "" : opts[i].value);
		fprintf(out, "  %-26s %s\n", left, opts[i].help);
	}
	fprintf(out, "\nexample:\n  %s\n", cmd->example);
}
