/* cli/recorder.h - the recorder of what a verb does: events for an evidence log, if there is one
 * (docs/PROTOCOL.evidence.md section 2). */
#ifndef TG_CLI_RECORDER_H
#define TG_CLI_RECORDER_H

#include <tensorguard/package.h>

#include "cli/cli.h"
#include "util/newfile.h"

/*
 * Start from zeros. Facts are collected while a verb works, and each event takes along those that
 * its type allows. Nothing is done without a log: every call is free of effects then, and succeeds.
 */
struct recorder {
	/* options */
	const char *log, *actor;
	/* filled by recorder_start() */
	struct tg_json *who;   /* the actor */
	struct tg_json *facts; /* members of an event */
	tg_status lost;        /* a fact could not be kept: no event without it */
	bool broken;           /* the log has not taken an event: it is asked no more */
};

/* The rows of an option table for the fields above. */
#define RECORDER_OPTS(r)                                                                           \
	{ "evidence", TG_OPT_STRING, &(r)->log, NULL, "DIR",                                       \
		"record it in this evidence log (default: TG_EVIDENCE)" },                         \
	    { "actor", TG_OPT_STRING, &(r)->actor, NULL, "NAME",                                   \
		    "who does it, for the log (default: the login user)" }

/* Before any work: is there a log that takes events? It is not held open meanwhile. */
TG_MUST_CHECK tg_status recorder_start(struct recorder *r, struct tg_error *err);
void recorder_done(struct recorder *r);

/* ---- facts; a later one replaces an earlier one of the same name ---- */

/* Members of "subject", "detail" and "metrics". Text may come from outside: it is made fit for an
 * event, and an empty one is left out. */
void recorder_text(struct recorder *r, const char *section, const char *key, const char *text);
void recorder_number(struct recorder *r, const char *section, const char *key, int64_t v);
void recorder_flag(struct recorder *r, const char *section, const char *key, bool v);
void recorder_id(struct recorder *r, const char *section, const char *key,
    const uint8_t id[static TG_KEY_ID_LEN]);
/* A package whose steps 1 to 7 have passed: its names and hashes. */
void recorder_package(struct recorder *r, const struct tg_package *p);
/* One that was refused: the hashes of the bytes that are there, and nothing that it says. */
void recorder_refused_package(struct recorder *r, const struct tg_source *src);
/* One of our own that is complete, and has no name yet. */
TG_MUST_CHECK tg_status recorder_new_package(struct recorder *r, const struct tg_newfile *f,
    struct tg_error *err);

/* ---- events: durable when these return ---- */

/* Before the result can be seen: on failure it must not be. */
TG_MUST_CHECK tg_status recorder_success(struct recorder *r, const char *type, struct tg_error *err);
/* Of a failure with status s and error *err: returns s, or what the log says when it does not take
 * the event, with both in *err. */
TG_MUST_CHECK tg_status recorder_failure(struct recorder *r, const char *type, tg_status s,
    struct tg_error *err);

#endif
