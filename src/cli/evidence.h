/* cli/evidence.h - what the parts of `tensorguard evidence` share. */
#ifndef TG_CLI_EVIDENCE_H
#define TG_CLI_EVIDENCE_H

#include <tensorguard/log.h>

#include "cli/cli.h"
#include "evidence/record.h"

extern const struct tg_cmd tg_cmd_evidence_create, tg_cmd_evidence_append, tg_cmd_evidence_list,
    tg_cmd_evidence_show, tg_cmd_evidence_follow, tg_cmd_evidence_checkpoint, tg_cmd_evidence_prove,
    tg_cmd_evidence_verify, tg_cmd_evidence_export, tg_cmd_evidence_witness;

#define ELOG_PATH_MAX 4096

/* A log's folder. Release with elog_done(). */
struct elog {
	const char *dir;
	struct tg_log_folder *folder;
	const struct tg_log_files *files;
	struct tg_log *log; /* when it is open for appending */
};
TG_MUST_CHECK tg_status elog_find(
    struct elog *e, const char *dir, bool create, struct tg_error *err);
/* The folder of a log that is there: TG_E_NOTFOUND for any other. */
TG_MUST_CHECK tg_status elog_find_log(struct elog *e, const char *dir, struct tg_error *err);
/* Its newest checkpoint, appended to note. */
TG_MUST_CHECK tg_status elog_checkpoint(
    const struct elog *e, struct tg_buf *note, struct tg_error *err);
/* Open for appending as this user; what is wrong is said with the folder's name in front. */
TG_MUST_CHECK tg_status elog_append(struct elog *e, const char *tenant, struct tg_error *err);
void elog_done(struct elog *e);
/* "DIR/log.priv" */
TG_MUST_CHECK tg_status elog_key_path(
    const char *dir, char out[static ELOG_PATH_MAX], struct tg_error *err);

/* How long others that append, or keep a checkpoint, are waited for. */
#define ELOG_WAIT_MS 10000u

/* The machine's clock, microseconds since 1970, as a log wants it. */
int64_t cli_clock_us(void *unused);
/* {"id":"uid:1000","name":"alice","type":"user"}: who runs this program. */
void cli_actor(char out[static 512]);

/* Have the witnesses of a policy cosign a checkpoint that the log has signed, and keep what they
 * answer in the log; `seconds` for each. *note: the checkpoint as it is, replaced by all of it.
 * Fails when the policy's quorum is not met; who did not answer is said as a note. */
struct cosigning {
	const struct elog *e;
	const struct tg_log_policy *policy;
	unsigned seconds;
};
TG_MUST_CHECK tg_status cosign(
    const struct cosigning *c, struct tg_buf *note, struct tg_error *err);

/* A checkpoint that was kept elsewhere, checked against the policy, which may be NULL. */
TG_MUST_CHECK tg_status kept_load(const char *path, const struct tg_log_policy *policy,
    struct tg_buf *note, struct tg_error *err);
/* tg_log_verify() of a log that must also fit such a checkpoint; an empty note: none. */
TG_MUST_CHECK tg_status kept_verify(const struct tg_log_files *files, const struct tg_buf *note,
    const struct tg_log_policy *policy, unsigned threads, const struct tg_progress *progress,
    struct tg_log_report *ret, struct tg_error *err);

/* A policy file. *ret is new. */
TG_MUST_CHECK tg_status policy_load(
    const char *path, struct tg_log_policy **ret, struct tg_error *err);

/* One record for people: number, time, type, actor, result, subject, note. */
void record_print_line(const struct tg_event *e);
/* What is wrong with a line of which a reader of blocks could not tell the number. */
void record_name(struct tg_error *why, tg_status s, uint64_t sequence);
/* Every member on a line of its own. */
void record_print_all(const struct tg_record *r, const struct tg_event *e);

/* A target's text into `path`, or to standard output for NULL and "-". */
TG_MUST_CHECK tg_status put_text(const char *path, tg_bytes text, struct tg_error *err);
/* A sink that appends to a struct tg_buf. */
struct tg_sink buf_sink(struct tg_buf *b);

#endif
