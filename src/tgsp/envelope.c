#include "tgsp/envelope.h"

#include <stdlib.h>

#include "util/try.h"

void
tgsp_envelope_free(struct tgsp_envelope *e)
{
	if (e == NULL)
		return;
	tgsp_frame_done(&e->frame);
	tgsp_manifest_free(e->manifest);
	tgsp_recipients_done(&e->recipients);
	free(e);
}

/* The layout follows from the header; the frame must agree with it. */
static tg_status
layout_check(struct tgsp_envelope *e, struct tg_error *err)
{
	const struct tgsp_header *h = &e->header;

	TG_TRY(tgsp_layout(h->plain_len, h->chunk_log2, e->frame.payload_at, &e->layout, err));
	TG_REQUIRE(h->chunks == e->layout.chunks, err, TG_E_FORMAT,
	    "header.payload: %llu chunks, plain_len makes %llu", (unsigned long long)h->chunks,
	    (unsigned long long)e->layout.chunks);
	TG_REQUIRE(e->frame.payload_len == e->layout.payload_len, err, TG_E_FORMAT,
	    "payload: %llu bytes, the header makes %llu", (unsigned long long)e->frame.payload_len,
	    (unsigned long long)e->layout.payload_len);
	return TG_OK;
}

tg_status
tgsp_envelope_read(const struct tg_source *src, struct tgsp_envelope **ret, struct tg_error *err)
{
	TG_AUTO(tgsp_envelope_freep) struct tgsp_envelope *e = calloc(1, sizeof(*e));

	TG_REQUIRE(e != NULL, err, TG_E_NOMEM, "package: out of memory");
	tgsp_frame_init(&e->frame);
	TG_TRY(tgsp_frame_read(src, &e->frame, err));
	TG_TRY(tgsp_header_read(tg_buf_view(&e->frame.header), &e->header, err));
	TG_TRY(layout_check(e, err));
	TG_TRY(tgsp_signature_read(tg_buf_view(&e->frame.signature), &e->signature, err));
	TG_TRY(tgsp_manifest_read(tg_buf_view(&e->frame.manifest), &e->manifest, err));
	TG_TRY(tgsp_recipients_read(tg_buf_view(&e->frame.recipients), &e->recipients, err));
	TG_TRY(tgsp_package_hash(tg_buf_view(&e->frame.header), tg_buf_view(&e->frame.manifest),
	    e->package_hash, err));
	*ret = e;
	e = NULL;
	return TG_OK;
}
