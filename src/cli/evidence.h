/* cli/evidence.h - what the parts of `tensorguard evidence` share. */
#ifndef TG_CLI_EVIDENCE_H
#define TG_CLI_EVIDENCE_H

#include <tensorguard/log.h>

#include "cli/cli.h"
#include "evidence/record.h"

extern const struct tg_cmd tg_cmd_evidence_create, tg_cmd_evidence_append, tg_cmd_evidence_list,
    tg_cmd_evidence_show, tg_cmd_evidence_follow, tg_cmd_evidence_checkpoint, tg_cmd_evidence_prove,
    tg_cmd_evidence_verify, tg_cmd_evidence_export, tg_cmd_evidence_witness;

/* A log's folder. Release with elog_done(). */
struct elog {
	const char *dir;
	struct tg_log_folder *folder;
	const struct tg_log_files *files;
	struct tg_log *log; /* when it is open for appending */
};
TG_MUST_CHECK tg_status elog_find(struct elog *e, const char *dir, bool create,
    struct tg_error *err);
/* Open for appending as this user; what is wrong is said with the folder's name in front. */
TG_MUST_CHECK tg_status elog_append(struct elog *e, const char *tenant, struct tg_error *err);
void elog_done(struct elog *e);

/* The machine's clock, microseconds since 1970, as a log wants it. */
int64_t cli_clock_us(void *unused);
/* {"id":"uid:1000","name":"alice","type":"user"}: who runs this program. */
void cli_actor(char out[static 512]);

/* A policy file. *ret is new. */
TG_MUST_CHECK tg_status policy_load(const char *path, struct tg_log_policy **ret,
    struct tg_error *err);

/* One record for people: number, time, type, result, actor, subject. */
void record_print_line(const struct tg_event *e);
/* Every member on a line of its own. */
void record_print_all(const struct tg_record *r, const struct tg_event *e);

/* A target's text into `path`, or to standard output for NULL and "-". */
TG_MUST_CHECK tg_status put_text(const char *path, tg_bytes text, struct tg_error *err);
/* A sink that appends to a struct tg_buf. */
struct tg_sink buf_sink(struct tg_buf *b);

#endif
