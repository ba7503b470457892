/* tensor/list.h - where the tensors of one model file lie. */
#ifndef TG_TENSOR_LIST_H
#define TG_TENSOR_LIST_H

#include <tensorguard/limits.h>

#include "util/bytes.h"

struct tg_tensor {
	char *name;                       /* UTF-8, as in the file */
	char dtype[TG_MAX_DTYPE_LEN + 1]; /* dtype.h name, or another of [A-Z0-9_] */
	unsigned rank;                    /* 0 is a scalar */
	uint64_t shape[TG_MAX_TENSOR_RANK];
	uint64_t offset; /* bytes from the start of the file */
	uint64_t size;   /* bytes, little-endian elements in C order */
};

/* Owns its names. */
struct tg_tensor_list {
	struct tg_tensor *at;
	size_t n;
	size_t skipped; /* found, but not describable: no contiguous bytes, rank, name */
};

void tg_tensor_list_init(struct tg_tensor_list *l); /* cannot fail, allocates nothing */
void tg_tensor_list_done(struct tg_tensor_list *l);
/* Copies name; at most TG_MAX_TENSORS. */
TG_MUST_CHECK tg_status tg_tensor_list_add(struct tg_tensor_list *l, const struct tg_tensor *t,
    tg_bytes name, struct tg_error *err);

/* What a manifest takes as a name: 1 ... TG_MAX_NAME_LEN bytes of UTF-8 without controls. */
bool tg_tensor_name_ok(tg_bytes name);
/* Adds what a manifest can describe; counts in `skipped` a tensor of another name or rank. */
TG_MUST_CHECK tg_status tg_tensor_list_offer(struct tg_tensor_list *l, const struct tg_tensor *t,
    tg_bytes name, struct tg_error *err);

#endif
