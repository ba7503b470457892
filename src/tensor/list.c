#include "tensor/list.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"
#include "util/try.h"

void
tg_tensor_list_init(struct tg_tensor_list *l)
{
	*l = (struct tg_tensor_list){ 0 };
}

void
tg_tensor_list_done(struct tg_tensor_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->at[i].name);
	free(l->at);
	tg_tensor_list_init(l);
}

/* Room for one more: doubling happens whenever n is a power of two, so no capacity is kept. */
static tg_status
reserve(struct tg_tensor_list *l, struct tg_error *err)
{
	size_t room = l->n == 0 ? 1 : 2 * l->n;
	struct tg_tensor *p;

	if ((l->n & (l->n - 1)) != 0)
		return TG_OK;
	p = realloc(l->at, room * sizeof(*p));
	TG_REQUIRE(p != NULL, err, TG_E_NOMEM, "no memory for %zu tensors", room);
	l->at = p;
	return TG_OK;
}

tg_status
tg_tensor_list_add(struct tg_tensor_list *l, const struct tg_tensor *t, tg_bytes name,
    struct tg_error *err)
{
	char *copy;

	TG_REQUIRE(l->n < TG_MAX_TENSORS, err, TG_E_LIMIT, "more than %u tensors", TG_MAX_TENSORS);
	TG_TRY(reserve(l, err));
	copy = malloc(name.n + 1);
	TG_REQUIRE(copy != NULL, err, TG_E_NOMEM, "no memory for a tensor's name");
	if (name.n > 0)
		memcpy(copy, name.p, name.n);
	copy[name.n] = '\0';
	l->at[l->n] = *t;
	l->at[l->n].name = copy;
	l->n++;
	return TG_OK;
}

bool
tg_tensor_name_ok(tg_bytes name)
{
	if (name.n < 1 || name.n > TG_MAX_NAME_LEN)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < 0x20 || name.p[i] == 0x7f)
			return false;
	return tg_utf8_valid(name);
}

tg_status
tg_tensor_list_offer(struct tg_tensor_list *l, const struct tg_tensor *t, tg_bytes name,
    struct tg_error *err)
{
	if (t->rank <= TG_MAX_TENSOR_RANK && tg_tensor_name_ok(name))
		return tg_tensor_list_add(l, t, name, err);
	l->skipped++;
	return TG_OK;
}
