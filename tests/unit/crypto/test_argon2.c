/* Argon2id: vectors of the reference implementation (RFC 9106's own have a secret and associated
 * data, which we do not use), and the costs that a file may not ask for. */
#include "../../tap.h"
#include "crypto/argon2.h"
#include "util/text.h"
#include "util/try.h"

#include <tensorguard/limits.h>

static void
reference_vectors(void)
{
	static const struct {
		struct tg_argon2_cost cost;
		const char *password, *salt, *want;
	} vectors[] = {
		{ { 256, 2, 1 }, "password", "somesalt",
		    "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe" },
		{ { 256, 2, 2 }, "password", "somesalt",
		    "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037" },
		{ { 65536, 2, 1 }, "password", "somesalt",
		    "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7" },
		{ { 65536, 1, 1 }, "password", "somesalt",
		    "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98" },
		{ { 65536, 2, 1 }, "differentpassword", "somesalt",
		    "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde" },
		{ { 65536, 2, 1 }, "password", "diffsalt",
		    "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c" },
	};

	for (size_t i = 0; i < TG_LEN(vectors); i++) {
		uint8_t out[32];
		char got[65];

		OK_STATUS(tg_argon2id(&vectors[i].cost, tg_bytes_str(vectors[i].password),
			      tg_bytes_str(vectors[i].salt), out, NULL),
		    TG_OK);
		tg_hex_encode(got, (tg_bytes){ out, 32 });
		OK(strcmp(got, vectors[i].want) == 0);
	}
}

static void
costs_out_of_range(void)
{
	static const struct {
		struct tg_argon2_cost cost;
		tg_status want;
	} costs[] = {
		{ { 0, 1, 1 }, TG_E_LIMIT },
		{ { 7, 1, 1 }, TG_E_LIMIT },
		{ { 8, 1, 1 }, TG_OK },
		{ { 15, 1, 2 }, TG_E_LIMIT },
		{ { 8, 0, 1 }, TG_E_LIMIT },
		{ { 8, 1, 0 }, TG_E_LIMIT },
		{ { 8, TG_MAX_ARGON2_PASSES, 1 }, TG_OK },
		{ { 8, TG_MAX_ARGON2_PASSES + 1, 1 }, TG_E_LIMIT },
		{ { 8 * TG_MAX_ARGON2_LANES, 1, TG_MAX_ARGON2_LANES }, TG_OK },
		{ { 8 * TG_MAX_ARGON2_LANES, 1, TG_MAX_ARGON2_LANES + 1 }, TG_E_LIMIT },
		{ { TG_MAX_ARGON2_KIB + 1, 1, 1 }, TG_E_LIMIT },
		{ { UINT32_MAX, 1, 1 }, TG_E_LIMIT },
		{ { 8, UINT32_MAX, 1 }, TG_E_LIMIT },
		{ { UINT32_MAX, 1, UINT32_MAX }, TG_E_LIMIT },
		{ { 8, 1, 0x20000001 }, TG_E_LIMIT },
	};
	uint8_t out[32];

	for (size_t i = 0; i < TG_LEN(costs); i++)
		OK_STATUS(tg_argon2id(&costs[i].cost, tg_bytes_str("p"), tg_bytes_str("somesalt"),
			      out, NULL),
		    costs[i].want);
}

/* The common cost is what docs/KEYS.md says. */
static void
the_default_cost(void)
{
	OK(tg_argon2_default.kib == 65536 && tg_argon2_default.passes == 3 &&
	    tg_argon2_default.lanes == 4);
}

int
main(void)
{
	reference_vectors();
	costs_out_of_range();
	the_default_cost();
	return tap_done();
}
