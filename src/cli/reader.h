/* cli/reader.h - what verify, open and run share: trust, policy, the package itself. */
#ifndef TG_CLI_READER_H
#define TG_CLI_READER_H

#include <tensorguard/package.h>

#include "cli/cli.h"
#include "cli/recorder.h"
#include "util/file.h"

/* cli/quarantine.c: a package that came through a pipe. */
struct quarantine {
	struct tg_secret *block[42]; /* each as large as all before it: 2^41 bytes at the most */
	unsigned n;
	uint64_t size; /* bytes */
};
/* Everything fd has, at most `limit` bytes, and never more memory than that; nothing else is done
 * with it meanwhile. Release with quarantine_done(). */
TG_MUST_CHECK tg_status quarantine_read(int fd, uint64_t limit, struct quarantine *ret,
    struct tg_error *err);
struct tg_source quarantine_source(struct quarantine *q);
void quarantine_done(struct quarantine *q);

struct reader {
	/* options */
	struct tg_values trust, delegates;
	const char *fleet, *state, *require, *key, *phrase_file;
	int64_t at;
	bool has_at, json;
	uint64_t threads, pipe_mib;
	struct recorder rec;
	/* filled by reader_start() and reader_open() */
	const char *path;
	struct tg_trust *store;
	struct tg_file *file;         /* NULL when the package came through a pipe */
	struct quarantine quarantine; /* what it is in then */
	struct tg_source src;
	struct tg_package *package;
	struct tg_policy policy;
};

/* The rows of an option table for the fields above. */
#define READER_OPTS(r)                                                                             \
	{ "trust", TG_OPT_LIST, &(r)->trust, NULL, "FILE.pub|DIR|STORE",                           \
		"trust this author, every key of a folder, or a trust store" },                                   \
	    { "trust-delegate", TG_OPT_LIST, &(r)->delegates, NULL, "FILE.pub|DIR",                \
		    "trust this delegate for recipients, where the manifest lists it" },           \
	    { "fleet", TG_OPT_STRING, &(r)->fleet, NULL, "NAME", "the fleet this machine is in" }, \
	    { "at", TG_OPT_TIME, &(r)->at, &(r)->has_at, "TIME",                                   \
		    "judge validity at this time instead of now" },                                \
	    TG_OPT_REQUIRE(&(r)->require),                                                         \
	    { "state", TG_OPT_STRING, &(r)->state, NULL, "DIR", "folder of rollback floors" },     \
	    RECORDER_OPTS(&(r)->rec)
#define READER_WORK_OPTS(r)                                                                        \
	{ "threads", TG_OPT_UINT, &(r)->threads, NULL, "N", "default: all cores" },                \
	    { "pipe-limit", TG_OPT_UINT, &(r)->pipe_mib, NULL, "MIB",                              \
		    "memory for a package from standard input (default 256)" }
#define READER_KEY_OPTS(r)                                                                         \
	{ "key", TG_OPT_STRING, &(r)->key, NULL, "FILE.priv", "the recipient's private key" },     \
	    { "passphrase-file", TG_OPT_STRING, &(r)->phrase_file, NULL, "FILE",                   \
		    "its passphrase, the first line of FILE" }

/* First of all: what it is about, and the recorder. Release with reader_done(). */
TG_MUST_CHECK tg_status reader_start(struct reader *r, const char *path, struct tg_error *err);
/* Load the trust store, open the file, verify steps 1 to 7, prepare the policy. */
TG_MUST_CHECK tg_status reader_open(struct reader *r, struct tg_error *err);
/* Step 8, with the policy enforced; recorded when the key has been tried. */
TG_MUST_CHECK tg_status reader_unlock(struct reader *r, struct tg_error *err);
/* After everything has verified and been put to use: raise the rollback floor, if there is one. */
TG_MUST_CHECK tg_status reader_activated(const struct reader *r, struct tg_error *err);
void reader_done(struct reader *r);

/* ---- cli/state.c: rollback floors per (author, model) in DIR/rollback.json ---- */

TG_MUST_CHECK tg_status state_floor(const char *dir, const uint8_t author[static TG_KEY_ID_LEN],
    const char *model, uint64_t *ret, struct tg_error *err);
/* Never lowers one. Durable when it returns. */
TG_MUST_CHECK tg_status state_raise(const char *dir, const uint8_t author[static TG_KEY_ID_LEN],
    const char *model, uint64_t index, struct tg_error *err);

#endif
