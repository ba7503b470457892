/* tensor/protobuf.h - the protobuf wire format, read out of a source without trusting it. */
#ifndef TG_TENSOR_PROTOBUF_H
#define TG_TENSOR_PROTOBUF_H

#include <tensorguard/limits.h>

#include "tensor/window.h"

/* One message: a range of the source. Copyable; all messages of a file share its window. */
struct tg_pb {
	struct tg_window *in; /* borrowed */
	uint64_t at;
	uint64_t end;
	unsigned depth; /* 0 is the file */
};

/* The wire types there are; groups (3 and 4) are rejected. */
enum tg_pb_wire {
	TG_PB_VARINT = 0,
	TG_PB_FIXED64 = 1,
	TG_PB_BYTES = 2,
	TG_PB_FIXED32 = 5,
};

struct tg_pb_field {
	uint32_t number;
	enum tg_pb_wire wire;
	uint64_t value;  /* of TG_PB_VARINT, else 0 */
	uint64_t offset; /* where the contents lie in the source */
	uint64_t size;   /* bytes; they lie inside the message */
};

/* A name as it stands in the file, unchecked; one above TG_MAX_NAME_LEN is cut a byte above. */
struct tg_pb_text {
	uint8_t b[TG_MAX_NAME_LEN + 1];
	size_t n;
};

/* The whole source as one message. TG_E_LIMIT above TG_MAX_PROTOBUF_FILE. */
TG_MUST_CHECK tg_status tg_pb_open(struct tg_window *in, struct tg_pb *ret, struct tg_error *err);
static inline bool
tg_pb_more(const struct tg_pb *m)
{
	return m->at < m->end;
}
/* The next field; its contents are stepped over, not read. On failure m has not moved. */
TG_MUST_CHECK tg_status tg_pb_next(struct tg_pb *m, struct tg_pb_field *ret, struct tg_error *err);
/* The next number of a packed field that was entered. On failure m has not moved. */
TG_MUST_CHECK tg_status tg_pb_varint(struct tg_pb *m, uint64_t *ret, struct tg_error *err);
/* A TG_PB_BYTES field of m as a message. TG_E_LIMIT below TG_MAX_PROTOBUF_DEPTH. */
TG_MUST_CHECK tg_status tg_pb_enter(const struct tg_pb *m, const struct tg_pb_field *f,
    struct tg_pb *ret, struct tg_error *err);
/* Does the field have the wire type that its schema gives it? TG_E_FORMAT otherwise. */
TG_MUST_CHECK tg_status tg_pb_expect(const struct tg_pb_field *f, enum tg_pb_wire wire,
    struct tg_error *err);
/* The same for a field, numbered below 32, that stands at most once: its bit is set in *seen. */
TG_MUST_CHECK tg_status tg_pb_once(const struct tg_pb_field *f, enum tg_pb_wire wire,
    uint32_t *seen, struct tg_error *err);
TG_MUST_CHECK tg_status tg_pb_text(const struct tg_pb *m, const struct tg_pb_field *f,
    struct tg_pb_text *ret, struct tg_error *err);
static inline tg_bytes
tg_pb_text_view(const struct tg_pb_text *t)
{
	return (tg_bytes){ t->b, t->n };
}

#endif
