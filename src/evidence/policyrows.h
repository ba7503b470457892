/* evidence/policyrows.h - a policy file as rows, in the order of its lines, for the two files that
 * read it and apply it. A group names only what stands before it, and every name is the member of
 * one group at most: what is asked of a checkpoint is worked out in one pass over the rows. */
#ifndef TG_EVIDENCE_POLICYROWS_H
#define TG_EVIDENCE_POLICYROWS_H

#include "evidence/policy.h"

struct tg_log_row {
	struct tg_note_key *key;
	char *url; /* NULL without one */
};

/* A witness, or a group. */
struct tg_name_row {
	char *name;
	struct tg_note_key *key; /* NULL: a group */
	char *url;
	size_t need;   /* of a group: members that have to cosign */
	size_t member; /* index of the group it is a member of; TG_NOBODY */
};
#define TG_NOBODY ((size_t)-1)

struct tg_log_policy {
	struct tg_log_row logs[TG_MAX_LOG_POLICY_KEYS];
	size_t n_logs;
	struct tg_name_row names[2 * TG_MAX_LOG_POLICY_KEYS];
	size_t n_names;
	size_t witness[TG_MAX_LOG_POLICY_KEYS]; /* indices of names */
	size_t n_witnesses;
	size_t quorum; /* index of a name; TG_NOBODY: none is needed */
	bool has_quorum;
};

#endif
