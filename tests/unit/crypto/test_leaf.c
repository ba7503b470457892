#include "../../tap.h"
#include "crypto/leaf.h"

#include <stdlib.h>

#define MAX_LEN 70000

static void
all_kernels_agree_with_the_portable_one(void)
{
	uint8_t *data = malloc(TG_LEAF_MAX_LANES * MAX_LEN), tags[TG_LEAF_MAX_LANES][16];
	unsigned long wrong = 0, n = 0;

	for (size_t i = 0; i < TG_LEAF_MAX_LANES * MAX_LEN; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	memset(tags, 0x5a, sizeof(tags));
	for (size_t len = 64; len <= MAX_LEN; len += len < 400 ? 1 : 4099) {
		struct tg_leaf want[TG_LEAF_MAX_LANES];

		for (size_t w = 0; w < TG_LEAF_MAX_LANES; w++) {
			want[w] = (struct tg_leaf){ .ct = data + w * MAX_LEN + w, .tag = tags[w] };
			tags[w][0] = (uint8_t)(len + w);
			wrong += tg_leaf_kernel_hash(&tg_leaf_portable, &want[w], len - w, NULL) != TG_OK;
		}
		for (size_t k = 0; k < tg_leaf_kernel_count; k++) {
			const struct tg_leaf_kernel *kernel = tg_leaf_kernels[k];

			if (!kernel->usable())
				continue;
			for (size_t w = 0; w < TG_LEAF_MAX_LANES; w++)
				wrong += tg_leaf_kernel_hash(&tg_leaf_portable, &want[w], len, NULL) != TG_OK;
			for (size_t w = 0; w + kernel->lanes <= TG_LEAF_MAX_LANES; w += kernel->lanes) {
				struct tg_leaf got[TG_LEAF_MAX_LANES];

				memcpy(got, want + w, kernel->lanes * sizeof(*got));
				for (unsigned i = 0; i < kernel->lanes; i++)
					memset(got[i].hash, 0, 32);
				wrong += tg_leaf_kernel_hash(kernel, got, len, NULL) != TG_OK;
				for (unsigned i = 0; i < kernel->lanes; i++, n++)
					wrong += memcmp(got[i].hash, want[w + i].hash, 32) != 0;
			}
		}
	}
	OK_NONE(wrong, n, "leaf hashes");
	free(data);
}

static void
batches_of_any_size_and_short_chunks(void)
{
	static uint8_t data[8 * 200], tag[16];
	unsigned long wrong = 0, n = 0;

	for (size_t len = 0; len < 200; len++)
		for (size_t count = 1; count <= 7; count++, n++) {
			struct tg_leaf got[8], want = { .tag = tag };

			for (size_t i = 0; i < count; i++) {
				got[i] = (struct tg_leaf){ .ct = data + i * 200, .tag = tag };
				memset(data + i * 200, (int)(i + len), 200);
			}
			wrong += tg_leaf_hash(got, count, len, NULL) != TG_OK;
			for (size_t i = 0; i < count; i++) {
				want.ct = got[i].ct;
				wrong += tg_leaf_kernel_hash(&tg_leaf_portable, &want, len, NULL) != TG_OK;
				wrong += memcmp(want.hash, got[i].hash, 32) != 0;
			}
		}
	OK_NONE(wrong, n, "batches");
}

int
main(void)
{
	for (size_t i = 0; i < tg_leaf_kernel_count; i++)
		printf("# kernel %s: %s\n", tg_leaf_kernels[i]->name,
		    tg_leaf_kernels[i]->usable() ? "usable" : "not on this CPU");
	all_kernels_agree_with_the_portable_one();
	batches_of_any_size_and_short_chunks();
	OK(tg_leaf_kernel(4) != NULL && tg_leaf_kernel(1) != NULL);
	return tap_done();
}
