#include "evidence/treefile.h"

#include <stdio.h>

#include "crypto/hash.h"
#include "crypto/leaf.h"
#include "crypto/tree.h"
#include "util/try.h"

static tg_status
level_file(struct tg_treefile *t, unsigned level, void **ret, struct tg_error *err)
{
	char name[16];

	TG_REQUIRE(level < TG_TREE_LEVELS, err, TG_E_LIMIT, "tree: more than %u levels", TG_TREE_LEVELS);
	if (t->level[level] == NULL) {
		(void)snprintf(name, sizeof(name), "tree/%02u", level);
		TG_TRY(t->files->open(t->files->ctx, name, t->writable, &t->level[level], err));
	}
	*ret = t->level[level];
	return TG_OK;
}

static tg_status
read_node(void *ctx, unsigned level, uint64_t index, uint8_t out[static 32], struct tg_error *err)
{
	struct tg_treefile *t = ctx;
	void *f = NULL;

	TG_TRY(level_file(t, level, &f, err));
	return t->files->read_at(t->files->ctx, f, out, 32, 32 * index, err);
}

struct tg_hashes
tg_treefile_hashes(struct tg_treefile *t)
{
	return (struct tg_hashes){ read_node, t };
}

static tg_status
read_peaks(struct tg_treefile *t, struct tg_error *err)
{
	for (unsigned l = 0; l < TG_TREE_LEVELS && t->n >> l > 0; l++) {
		uint64_t size = 0;
		void *f = NULL;

		TG_TRY(level_file(t, l, &f, err));
		TG_TRY(t->files->size(t->files->ctx, f, &size, err));
		TG_REQUIRE(size / 32 >= t->n >> l, err, TG_E_FORMAT, "tree/%02u: %llu hashes, %llu expected", l,
		    (unsigned long long)(size / 32), (unsigned long long)(t->n >> l));
		if ((t->n >> l & 1) != 0)
			TG_TRY(read_node(t, l, (t->n >> l) - 1, t->peak[l], err));
	}
	return TG_OK;
}

tg_status
tg_treefile_open(struct tg_treefile *t, const struct tg_log_files *files, bool writable, uint64_t n,
    struct tg_error *err)
{
	memset(t, 0, sizeof(*t));
	t->files = files;
	t->writable = writable;
	t->n = n;
	tg_status s = files == NULL ? TG_OK : read_peaks(t, err);
	if (s != TG_OK)
		tg_treefile_close(t);
	return s;
}

void
tg_treefile_close(struct tg_treefile *t)
{
	for (unsigned l = 0; l < TG_TREE_LEVELS; l++) {
		if (t->level[l] != NULL)
			t->files->close(t->files->ctx, t->level[l]);
		t->level[l] = NULL;
	}
}

static tg_status
write_nodes(struct tg_treefile *t, unsigned level, const uint8_t *nodes, size_t k,
    struct tg_error *err)
{
	void *f = NULL;

	if (t->files == NULL || !t->writable)
		return TG_OK;
	TG_TRY(level_file(t, level, &f, err));
	t->unsynced |= 1ull << level;
	return t->files->write_at(t->files->ctx, f, nodes, 32 * k, 32 * (t->n >> level), err);
}

tg_status
tg_treefile_append(struct tg_treefile *t, uint8_t *scratch, size_t k, struct tg_error *err)
{
	const uint64_t n = t->n + k;

	/* the new nodes of a level pair up, the odd one of before in front, into those of the next */
	for (unsigned l = 0; k > 0; l++) {
		const size_t odd = t->n >> l & 1, total = odd + k;
		uint8_t *from = scratch + 32 * (1 - odd);

		TG_TRY(write_nodes(t, l, scratch + 32, k, err));
		if (odd)
			memcpy(from, t->peak[l], 32);
		if (total % 2 == 1)
			memcpy(t->peak[l], from + 32 * (total - 1), 32);
		k = total / 2;
		TG_TRY(tg_node_hash(from, k, scratch + 32, err));
	}
	t->n = n;
	return TG_OK;
}

tg_status
tg_treefile_root(const struct tg_treefile *t, uint8_t out[static 32], struct tg_error *err)
{
	uint8_t root[32];
	bool any = false;

	for (unsigned l = 0; l < TG_TREE_LEVELS; l++) {
		if ((t->n >> l & 1) == 0)
			continue;
		if (any)
			TG_TRY(tg_tree_node(t->peak[l], root, root, err));
		else
			memcpy(root, t->peak[l], 32);
		any = true;
	}
	if (!any)
		return tg_sha256(NULL, 0, out, err);
	memcpy(out, root, 32);
	return TG_OK;
}

tg_status
tg_treefile_sync(struct tg_treefile *t, struct tg_error *err)
{
	for (unsigned l = 0; l < TG_TREE_LEVELS; l++) {
		if ((t->unsynced >> l & 1) == 0)
			continue;
		TG_TRY(t->files->sync(t->files->ctx, t->level[l], err));
		t->unsynced &= ~(1ull << l);
	}
	return TG_OK;
}
