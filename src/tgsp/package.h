/* tgsp/package.h - the inside of an open package, for the operations that start from one. */
#ifndef TG_TGSP_PACKAGE_H
#define TG_TGSP_PACKAGE_H

#include <tensorguard/package.h>

#include "tgsp/envelope.h"
#include "tgsp/payload.h"

struct tg_package {
	struct tgsp_envelope *envelope;
	struct tgsp_payload payload;
	struct tg_secret *key; /* K_payload once unlocked, else NULL */
};

/* Step 8 with the policy enforced: the DEK, and the payload key under its commitment. */
TG_MUST_CHECK tg_status tgsp_package_dek(const struct tg_package *p, const struct tg_key *key,
    const struct tg_policy *policy, struct tg_key32 *ret_dek, struct tg_key32 *ret_payload,
    struct tg_error *err);

#endif
