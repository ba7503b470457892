/* RFC 6962 section 2.1: published roots, and the definition itself beside the incremental tree. */
#include "../../tap.h"
#include "crypto/hash.h"
#include "crypto/tree.h"
#include "util/text.h"
#include "util/try.h"

#include <stdlib.h>

#define MOST 300

static uint8_t leaves[MOST][48]; /* leaf and 16 other bytes, as in a payload's index */

/* MTH by its definition: the largest power of two below n goes left. */
static void
naive_root(size_t from, size_t n, uint8_t out[static 32])
{
	uint8_t left[32], right[32];
	size_t k = 1;

	if (n == 1) {
		memcpy(out, leaves[from], 32);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	naive_root(from, k, left);
	naive_root(from + k, n - k, right);
	if (tg_tree_node(left, right, out, NULL) != TG_OK)
		abort();
}

/* Leaves and roots of the Certificate Transparency test data. */
static void
published_roots(void)
{
	static const char *const data[] = { "", "00", "10", "2021", "3031", "40414243",
		"5051525354555657", "606162636465666768696a6b6c6d6e6f" };
	static const char *const roots[] = {
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};
	struct tg_tree t;
	char got[65];
	uint8_t root[32];

	tg_tree_init(&t);
	OK_STATUS(tg_tree_root(&t, root, NULL), TG_OK);
	tg_hex_encode(got, (tg_bytes){ root, 32 });
	OK(strcmp(got, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") == 0);
	for (size_t i = 0; i < TG_LEN(data); i++) {
		static const uint8_t prefix = 0;
		uint8_t raw[16], leaf[32];
		const size_t n = strlen(data[i]) / 2;

		OK(tg_hex_decode(raw, n, tg_bytes_str(data[i])));
		const tg_bytes parts[] = { { &prefix, 1 }, { raw, n } };
		OK_STATUS(tg_sha256(parts, 2, leaf, NULL), TG_OK);
		OK_STATUS(tg_tree_add(&t, leaf, NULL), TG_OK);
		OK_STATUS(tg_tree_root(&t, root, NULL), TG_OK); /* and the tree grows on */
		tg_hex_encode(got, (tg_bytes){ root, 32 });
		OK(strcmp(got, roots[i]) == 0);
	}
}

static void
every_size_agrees_with_the_definition(void)
{
	unsigned long wrong = 0, n = 0;
	struct tg_tree t;

	for (size_t i = 0; i < MOST; i++)
		for (size_t k = 0; k < 48; k++)
			leaves[i][k] = (uint8_t)(i * 131 + k * 7 + (i >> 4));
	tg_tree_init(&t);
	for (size_t size = 1; size <= MOST; size++, n++) {
		uint8_t want[32], got[32];

		naive_root(0, size, want);
		wrong += tg_tree_add(&t, leaves[size - 1], NULL) != TG_OK ||
		    tg_tree_root(&t, got, NULL) != TG_OK || memcmp(want, got, 32) != 0;
		wrong += tg_tree_root_of(leaves[0], 48, size, got, NULL) != TG_OK ||
		    memcmp(want, got, 32) != 0;
	}
	OK_NONE(wrong, n, "sizes");
}

/* 65,536 leaves, the most a package has, and one: incremental and batched. */
static void
the_largest_index(void)
{
	const size_t most = 65537;
	uint8_t *index = calloc(most, 48), a[32], b[32];
	struct tg_tree t;
	unsigned long wrong = 0;

	if (index == NULL)
		abort();
	tg_tree_init(&t);
	for (size_t i = 0; i < most; i++) {
		tg_put_u32be(index + i * 48, (uint32_t)i);
		wrong += tg_tree_add(&t, index + i * 48, NULL) != TG_OK;
		if (i + 2 >= most) {
			wrong += tg_tree_root(&t, a, NULL) != TG_OK ||
			    tg_tree_root_of(index, 48, i + 1, b, NULL) != TG_OK ||
			    memcmp(a, b, 32) != 0;
		}
	}
	OK_NONE(wrong, most, "leaves");
	free(index);
}

int
main(void)
{
	published_roots();
	every_size_agrees_with_the_definition();
	the_largest_index();
	return tap_done();
}
