/* tensor/opcode.h - walking the opcodes of a Python pickle, without running them. */
#ifndef TG_TENSOR_OPCODE_H
#define TG_TENSOR_OPCODE_H

#include "util/bytes.h"

/* What a walk has seen. */
struct tg_opcodes {
	int protocol;    /* of a PROTO opcode at the start; -1 without one */
	uint64_t count;  /* whole opcodes */
	uint64_t end;    /* byte behind the last of them */
	uint64_t reached; /* byte up to which it was looked at */
	bool stopped;    /* the last of them is STOP */
	bool unfinished; /* well-formed as far as we went */
	bool imports;    /* one of them imports a Python name */
	bool calls;      /* and a later one calls or fills in something */
};

/*
 * Walk from the start of the source to STOP, or to where Python's unpickler would give up: an
 * opcode that does not exist, an argument that is none or leaves the file, an empty stack. At most
 * TG_MAX_PICKLE_OPCODES opcodes or TG_MAX_PICKLE_TEXT bytes of text arguments. Arguments of known
 * length are stepped over, not read. The status tells of failures to read only; *ret is overwritten
 * on success.
 */
TG_MUST_CHECK tg_status tg_opcodes_walk(const struct tg_source *src, struct tg_opcodes *ret,
    struct tg_error *err);

/*
 * Is it a pickle? Python runs opcodes as it meets them and needs no PROTO, so a stream that breaks
 * after an import and a call has done its work: that counts, as do PROTO ... STOP and whatever
 * goes on for longer than we look. Plain data without PROTO does not: any text may look like it.
 */
bool tg_opcodes_are_pickle(const struct tg_opcodes *w);

#endif
