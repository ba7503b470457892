/* evidence/defaults.h - what every event of an open log gets: its origin, and the tenant and actor that
 * it does not name itself. */
#ifndef TG_EVIDENCE_DEFAULTS_H
#define TG_EVIDENCE_DEFAULTS_H

#include "evidence/draft.h"
#include "util/buf.h"

struct tg_defaults {
	struct tg_buf buf;             /* owned */
	struct tg_draft_defaults texts; /* borrowed from it */
};

/* tenant NULL: "default"; actor NULL: every event has to name one. TG_E_FORMAT for what could not stand
 * in a record. Release with tg_defaults_done(). */
TG_MUST_CHECK tg_status tg_defaults_make(struct tg_defaults *d, const char *origin,
    const char *tenant, const char *actor, struct tg_error *err);
void tg_defaults_done(struct tg_defaults *d); /* also for one of zeros */

#endif
