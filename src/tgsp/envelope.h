/* tgsp/envelope.h - everything of a package but its chunks, through steps 1 and 2. */
#ifndef TG_TGSP_ENVELOPE_H
#define TG_TGSP_ENVELOPE_H

#include "tgsp/frame.h"
#include "tgsp/header.h"
#include "tgsp/layout.h"
#include "tgsp/manifest.h"
#include "tgsp/recipients.h"
#include "tgsp/signature.h"

/* Well-formed, and not authenticated: whoever uses it before tg_package_open() has checked it says so. */
struct tgsp_envelope {
	struct tgsp_frame frame; /* the bytes as received */
	struct tgsp_header header;
	struct tgsp_manifest *manifest;
	struct tgsp_recipients recipients;
	struct tgsp_signature signature;
	struct tgsp_layout layout;
	uint8_t package_hash[32];
};

/* Steps 1 and 2: frame, strict JSON, complete schema, layout as recomputed. */
TG_MUST_CHECK tg_status tgsp_envelope_read(const struct tg_source *src, struct tgsp_envelope **ret,
    struct tg_error *err);
void tgsp_envelope_free(struct tgsp_envelope *e); /* accepts NULL */
static inline void
tgsp_envelope_freep(struct tgsp_envelope **e)
{
	tgsp_envelope_free(*e);
}

#endif
