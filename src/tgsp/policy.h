/* tgsp/policy.h - step 4: does a manifest allow this reader, here and now? */
#ifndef TG_TGSP_POLICY_H
#define TG_TGSP_POLICY_H

#include <tensorguard/package.h>

#include "tgsp/manifest.h"

/* The enum tg_policy_check bits that fail, the first one explained in err. */
unsigned tgsp_policy_check(const struct tgsp_manifest *m, const struct tg_policy *p,
    struct tg_error *err);

#endif
