#include "tgsp/draw.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/rng.h"
#include "util/try.h"

#define LABEL(s) { (const uint8_t *)(s), sizeof(s) } /* with the NUL of the protocol's \0 */

/* The SHA-256 of every file, one after the other. */
static uint8_t *
file_hashes(const struct tgsp_scan *files)
{
	uint8_t *all = malloc(files->n * 32 + 1);

	for (size_t i = 0; all != NULL && i < files->n; i++)
		memcpy(all + 32 * i, files->at[i].sha256, 32);
	return all;
}

tg_status
tgsp_draw_init(struct tgsp_draw *d, const struct tg_secret *repro, tg_bytes manifest,
    uint64_t plain_len, unsigned chunk_log2, const struct tgsp_scan *files, const uint8_t *ids,
    size_t n_ids, struct tg_error *err)
{
	uint8_t mlen[4], n[8], n_files[4], n_recipients[4];
	const uint8_t log2 = (uint8_t)chunk_log2;

	*d = (struct tgsp_draw){ .repro = repro };
	if (repro == NULL)
		return TG_OK;
	TG_REQUIRE(tg_secret_len(repro) == 32, err, TG_E_USAGE,
	    "reproducible key of %zu bytes, 32 expected", tg_secret_len(repro));
	uint8_t *hashes = file_hashes(files);
	TG_REQUIRE(hashes != NULL, err, TG_E_NOMEM, "build: out of memory");
	tg_put_u32be(mlen, (uint32_t)manifest.n);
	tg_put_u64be(n, plain_len);
	tg_put_u32be(n_files, (uint32_t)files->n);
	tg_put_u32be(n_recipients, (uint32_t)n_ids);
	const tg_bytes parts[] = {
		LABEL("TGSP-v1 repro"),
		{ mlen, 4 },
		manifest,
		{ n, 8 },
		{ &log2, 1 },
		{ n_files, 4 },
		{ hashes, files->n * 32 },
		{ n_recipients, 4 },
		{ ids, n_ids * TG_KEY_ID_LEN },
	};
	tg_status s = tg_sha256(parts, TG_LEN(parts), d->x, err);
	free(hashes);
	return s;
}

/* 32 bytes: HMAC(K_repro, label || 00 || id || X), or random. */
static tg_status
draw(const struct tgsp_draw *d, tg_bytes label, tg_bytes id, uint8_t ret[static 32],
    struct tg_error *err)
{
	const tg_bytes parts[] = { label, id, { d->x, sizeof(d->x) } };

	if (d->repro == NULL)
		return tg_random(ret, 32, err);
	return tg_hmac_sha256((tg_bytes){ tg_secret_bytes(d->repro), 32 }, parts, TG_LEN(parts), ret,
	    err);
}

tg_status
tgsp_draw_dek(const struct tgsp_draw *d, struct tg_key32 *ret, struct tg_error *err)
{
	return draw(d, (tg_bytes)LABEL("dek"), (tg_bytes){ NULL, 0 }, ret->b, err);
}

tg_status
tgsp_draw_salt(const struct tgsp_draw *d, uint8_t ret[static 32], struct tg_error *err)
{
	return draw(d, (tg_bytes)LABEL("salt"), (tg_bytes){ NULL, 0 }, ret, err);
}

tg_status
tgsp_draw_coins(const struct tgsp_draw *d, const uint8_t id[static TG_KEY_ID_LEN],
    struct tgsp_coins *ret, struct tg_error *err)
{
	const tg_bytes who = { id, TG_KEY_ID_LEN };

	TG_TRY(draw(d, (tg_bytes)LABEL("x25519"), who, ret->x25519, err));
	return draw(d, (tg_bytes)LABEL("mlkem"), who, ret->mlkem, err);
}
