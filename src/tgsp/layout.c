#include "tgsp/layout.h"

#include <tensorguard/limits.h>

#include "util/try.h"

_Static_assert(TG_PAYLOAD_ALIGN == 4096, "tgsp_align_up");

tg_status
tgsp_layout(uint64_t plain_len, unsigned chunk_log2, uint64_t payload_at, struct tgsp_layout *ret,
    struct tg_error *err)
{
	struct tgsp_layout l = { .chunk_log2 = chunk_log2, .plain_len = plain_len };

	TG_REQUIRE(plain_len <= TG_MAX_PLAIN_LEN, err, TG_E_LIMIT,
	    "plain_len %llu, at most 2^40 allowed", (unsigned long long)plain_len);
	TG_REQUIRE(chunk_log2 >= TG_MIN_CHUNK_LOG2 && chunk_log2 <= TG_MAX_CHUNK_LOG2, err, TG_E_FORMAT,
	    "chunk_log2 %u, %u ... %u expected", chunk_log2, TG_MIN_CHUNK_LOG2, TG_MAX_CHUNK_LOG2);
	l.chunks = plain_len == 0 ? 1 : ((plain_len - 1) >> chunk_log2) + 1;
	TG_REQUIRE(l.chunks <= TG_MAX_CHUNKS, err, TG_E_LIMIT, "%llu chunks, at most %u allowed",
	    (unsigned long long)l.chunks, TG_MAX_CHUNKS);
	/* all terms are below 2^42 from here on, payload_at included: no sum can overflow */
	TG_REQUIRE(payload_at <= TG_MAX_PAYLOAD_LEN, err, TG_E_LIMIT, "payload at offset %llu",
	    (unsigned long long)payload_at);
	l.index_at = payload_at;
	l.index_len = l.chunks * TGSP_INDEX_RECORD;
	l.ct_at = tgsp_align_up(l.index_at + l.index_len);
	l.pad_len = l.ct_at - l.index_at - l.index_len;
	l.payload_len = l.index_len + l.pad_len + plain_len;
	*ret = l;
	return TG_OK;
}

tg_status
tgsp_chunk_log2_for(uint64_t plain_len, unsigned *ret, struct tg_error *err)
{
	unsigned log2 = TG_MIN_WRITTEN_CHUNK_LOG2;

	TG_REQUIRE(plain_len <= TG_MAX_PLAIN_LEN, err, TG_E_LIMIT,
	    "%llu bytes of files, at most 2^40 fit into a package", (unsigned long long)plain_len);
	while (plain_len > (uint64_t)TG_MAX_CHUNKS << log2)
		log2++;
	*ret = log2;
	return TG_OK;
}
