/* evidence/treefile.h - the tree's hashes in files, one file a level: DIR/tree/LL. A node is the root
 * of a complete subtree, so it never changes; which nodes there are follows from the record count. */
#ifndef TG_EVIDENCE_TREEFILE_H
#define TG_EVIDENCE_TREEFILE_H

#include <tensorguard/log.h>

#include "evidence/proof.h"

#define TG_TREE_LEVELS 48

struct tg_treefile {
	const struct tg_log_files *files;
	bool writable;
	uint64_t n;                         /* leaves */
	uint8_t peak[TG_TREE_LEVELS][32];   /* of each level with an odd count: its last node */
	void *level[TG_TREE_LEVELS];        /* opened when needed */
	uint64_t unsynced;                  /* bit per level */
};

/* For n leaves; TG_E_FORMAT when the files hold fewer. *t need not be initialised. files NULL: nothing
 * is kept but what the root needs, and n is 0. Not `writable`: of leaves to come nothing else is kept. */
TG_MUST_CHECK tg_status tg_treefile_open(struct tg_treefile *t, const struct tg_log_files *files,
    bool writable, uint64_t n, struct tg_error *err);
void tg_treefile_close(struct tg_treefile *t);
/* k more leaves. `scratch` has room for k + 1 hashes, the leaves standing from its second on; it is
 * used up. */
TG_MUST_CHECK tg_status tg_treefile_append(struct tg_treefile *t, uint8_t *scratch, size_t k,
    struct tg_error *err);
TG_MUST_CHECK tg_status tg_treefile_sync(struct tg_treefile *t, struct tg_error *err);
/* Of all the leaves so far. */
TG_MUST_CHECK tg_status tg_treefile_root(const struct tg_treefile *t, uint8_t out[static 32],
    struct tg_error *err);
/* Borrowed view of the nodes; use from one thread. Not without files. */
struct tg_hashes tg_treefile_hashes(struct tg_treefile *t);

#endif
