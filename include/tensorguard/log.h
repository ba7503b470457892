/* tensorguard/log.h - the evidence log: events in a hash chain and a Merkle tree, checkpoints that
 * others cosign, proofs that stand alone (docs/PROTOCOL.evidence.md). */
#ifndef TENSORGUARD_LOG_H
#define TENSORGUARD_LOG_H

#include <tensorguard/key.h>
#include <tensorguard/package.h>

TG_BEGIN_DECLS

/* ---- where a log lives ---- */

enum { TG_LOG_CREATE = 1, TG_LOG_CREATE_LOOSE = 2 };

/*
 * File operations, so that a log can live in something else than a folder. Names are relative, with
 * '/' between the parts (docs/PROTOCOL.evidence.md section 5). Called by one thread at a time for a
 * given file, except read_at. A file that is written to has one writer.
 */
struct tg_log_files {
	/* TG_E_NOTFOUND when absent, unless `create`: then it is made, with its folders; durably so unless
	 * it is TG_LOG_CREATE_LOOSE. */
	tg_status (*open)(void *ctx, const char *name, int create, void **ret, struct tg_error *err);
	void (*close)(void *ctx, void *file);
	tg_status (*size)(void *ctx, void *file, uint64_t *ret, struct tg_error *err);
	/* All n bytes, or TG_E_IO. */
	tg_status (*read_at)(void *ctx, void *file, void *buf, size_t n, uint64_t offset,
	    struct tg_error *err);
	tg_status (*write_at)(void *ctx, void *file, const void *p, size_t n, uint64_t offset,
	    struct tg_error *err);
	tg_status (*truncate)(void *ctx, void *file, uint64_t size, struct tg_error *err);
	/* What was written, and the size, survive a power failure once it returns. */
	tg_status (*sync)(void *ctx, void *file, struct tg_error *err);
	/* Put a small file in place of what is there, durably: a reader sees the old or the new one. */
	tg_status (*replace)(void *ctx, const char *name, const void *p, size_t n, struct tg_error *err);
	/* Every name in a folder, in no order; an absent folder is an empty one. */
	tg_status (*list)(void *ctx, const char *folder,
	    tg_status (*found)(void *to, const char *name, struct tg_error *err), void *to,
	    struct tg_error *err);
	/* The right to append, for one holder; TG_E_BUSY when it is still taken after wait_ms. */
	tg_status (*lock)(void *ctx, unsigned wait_ms, void **ret, struct tg_error *err);
	void (*unlock)(void *ctx, void *lock);
	void *ctx;
};

/* The files of a folder. */
struct tg_log_folder;
/* `create`: make the folder (0755) when it is absent. *ret is new: tg_log_folder_close(). */
TG_API TG_MUST_CHECK tg_status tg_log_folder_open(const char *path, int create,
    struct tg_log_folder **ret, struct tg_error *err);
TG_API void tg_log_folder_close(struct tg_log_folder *f); /* accepts NULL */
static inline void
tg_log_folder_closep(struct tg_log_folder **f)
{
	tg_log_folder_close(*f);
}
/* Borrowed: valid until tg_log_folder_close(). */
TG_API const struct tg_log_files *tg_log_folder_files(struct tg_log_folder *f);

/* ---- appending ---- */

#define TG_LOG_ID_TEXT 36 /* characters of an event id */

/* Borrowed as long as the log is open. Zero and NULL are the defaults. */
struct tg_log_options {
	const char *tenant;         /* of events that name none: "default" */
	const char *actor;          /* of events that name none: JSON object; NULL: each must name one */
	int64_t (*now)(void *ctx);  /* microseconds since 1970; NULL is TG_E_USAGE */
	void *now_ctx;
	uint64_t segment_bytes;     /* begin a new segment at this size: 64 MiB */
	unsigned wait_ms;           /* for the lock */
};

/* An open log. Its functions may be called from several threads at once. */
struct tg_log;

/*
 * Begin a log: record 0 is LOG_CREATED, which names `origin` and the public halves of `key` (use
 * checkpoint). log.policy is written beside it. TG_E_CONFLICT when there is a log already.
 * origin: 1 ... 255 bytes, a schema-less URL by custom ("example.com/fleet-7"), no white space or '+'.
 */
TG_API TG_MUST_CHECK tg_status tg_log_create(const struct tg_log_files *files, const char *origin,
    const struct tg_key *key, const struct tg_log_options *options, struct tg_error *err);
/*
 * Open for appending, alone: TG_E_BUSY when another process has it. Recovers from an unfinished
 * write (section 5); TG_E_FORMAT or TG_E_AUTH for a damaged log, which is left as it is. *ret is new.
 */
TG_API TG_MUST_CHECK tg_status tg_log_open(const struct tg_log_files *files,
    const struct tg_log_options *options, struct tg_log **ret, struct tg_error *err);
/* Waits for what has been submitted. Accepts NULL. */
TG_API void tg_log_close(struct tg_log *log);
static inline void
tg_log_closep(struct tg_log **log)
{
	tg_log_close(*log);
}

struct tg_log_entry {
	uint64_t sequence;
	int64_t timestamp; /* microseconds since 1970 */
	char event_id[TG_LOG_ID_TEXT + 1];
};

/*
 * `event`: a JSON object in canonical form with the event's members, without those that the log sets
 * itself. TG_E_FORMAT or TG_E_LIMIT, and nothing appended, when it is not of its type's form. When
 * tg_log_append() returns TG_OK the record is durable. After a failure to write, the log takes no
 * more: every later call returns the same failure until it is opened again.
 */
TG_API TG_MUST_CHECK tg_status tg_log_append(struct tg_log *log, tg_bytes event,
    struct tg_log_entry *ret, struct tg_error *err);
/* The same in two steps: take it, and wait until everything up to ret->sequence is durable. What has
 * been submitted and not waited for may be lost. */
TG_API TG_MUST_CHECK tg_status tg_log_submit(struct tg_log *log, tg_bytes event,
    struct tg_log_entry *ret, struct tg_error *err);
TG_API TG_MUST_CHECK tg_status tg_log_wait(struct tg_log *log, uint64_t sequence,
    struct tg_error *err);
/* Durable records. */
TG_API uint64_t tg_log_size(struct tg_log *log);
/* Borrowed: valid until tg_log_close(). */
TG_API const char *tg_log_origin(const struct tg_log *log);

/* ---- checkpoints ---- */

/*
 * Sign the durable records with the log's private key; time: Unix seconds. Stored in the log before
 * it returns, and handed to `to` (may be NULL) as a signed note. TG_E_POLICY when `key` is not the
 * log's, or when the log would not extend its last checkpoint.
 */
TG_API TG_MUST_CHECK tg_status tg_log_checkpoint(struct tg_log *log, const struct tg_key *key,
    int64_t time, const struct tg_sink *to, struct tg_error *err);

/* Which logs and witnesses are believed: a C2SP tlog-policy file. */
struct tg_log_policy;
/* `what` names the text in messages. *ret is new: release with tg_log_policy_free(). */
TG_API TG_MUST_CHECK tg_status tg_log_policy_parse(tg_bytes text, const char *what,
    struct tg_log_policy **ret, struct tg_error *err);
TG_API void tg_log_policy_free(struct tg_log_policy *p); /* accepts NULL */
static inline void
tg_log_policy_freep(struct tg_log_policy **p)
{
	tg_log_policy_free(*p);
}

/* ---- proofs ---- */

/* Proofs under the newest checkpoint that a log had when this was opened. The log may be open for
 * appending elsewhere. Use from one thread. */
struct tg_log_prover;
/* TG_E_NOTFOUND when there is no checkpoint. *ret is new: release with tg_log_prover_close(). */
TG_API TG_MUST_CHECK tg_status tg_log_prover_open(const struct tg_log_files *files,
    struct tg_log_prover **ret, struct tg_error *err);
TG_API void tg_log_prover_close(struct tg_log_prover *p); /* accepts NULL */
static inline void
tg_log_prover_closep(struct tg_log_prover **p)
{
	tg_log_prover_close(*p);
}
/* Records that its checkpoint covers. */
TG_API uint64_t tg_log_prover_size(const struct tg_log_prover *p);
/* Write a tlog-proof of the record's inclusion; with_record: carry the record in it. TG_E_NOTFOUND
 * when the checkpoint does not cover it. */
TG_API TG_MUST_CHECK tg_status tg_log_prove(struct tg_log_prover *p, uint64_t sequence,
    int with_record, const struct tg_sink *to, struct tg_error *err);
/* The hashes, 32 bytes each, that show the first `from` records to be a beginning of the first
 * `to_size` (RFC 6962 section 2.1.2); to_size is at most the prover's. */
TG_API TG_MUST_CHECK tg_status tg_log_consistency(struct tg_log_prover *p, uint64_t from,
    uint64_t to_size, const struct tg_sink *to, struct tg_error *err);

struct tg_log_proved {
	uint64_t sequence, size; /* of the record; of the checkpoint */
	char origin[256];
};
/* Check a tlog-proof offline. record: the record's bytes; {NULL, 0} takes the one in the proof.
 * `record_to` (may be NULL) gets the proved record. TG_E_AUTH when anything does not match. */
TG_API TG_MUST_CHECK tg_status tg_log_check_proof(tg_bytes proof, tg_bytes record,
    const struct tg_log_policy *policy, const struct tg_sink *record_to, struct tg_log_proved *ret,
    struct tg_error *err);

/* ---- checking all of it ---- */

struct tg_log_report {
	char origin[256];
	uint64_t records;       /* checked */
	uint64_t checkpoints;   /* whose signatures and root were checked */
	uint64_t covered;       /* records under the newest of them */
	uint64_t unknown_types; /* events of types that this version does not know */
	uint64_t tail_bytes;    /* unfinished bytes behind the last record */
	uint8_t root[TG_HASH_LEN];
	uint8_t chain[TG_HASH_LEN];
	/* the first thing that is wrong, in record order; the error's text says what */
	uint64_t bad_sequence;      /* valid when tg_log_verify() has not returned TG_OK */
	uint64_t before, after;     /* it lies between the checkpoints of these sizes; after 0: none */
};

/*
 * Check a log's files, or an exported folder, on `threads` threads (0: all cores); memory does not
 * grow with the log. policy NULL: the log's agreement with itself alone. *ret is filled on failure
 * too. TG_E_AUTH or TG_E_FORMAT for what is not as it should be.
 */
TG_API TG_MUST_CHECK tg_status tg_log_verify(const struct tg_log_files *files,
    const struct tg_log_policy *policy, unsigned threads, const struct tg_progress *progress,
    struct tg_log_report *ret, struct tg_error *err);

TG_END_DECLS
#endif
