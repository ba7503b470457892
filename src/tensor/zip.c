#include "tensor/zip.h"

#include <inttypes.h>

#include "util/try.h"

/* Record sizes without their variable parts. */
#define END_LEN       22u
#define END64_LEN     56u
#define LOCATOR64_LEN 20u
#define ENTRY_LEN     46u
#define LOCAL_LEN     30u
#define TAIL_LEN      (65535u + END_LEN) /* a comment has at most 65535 bytes */
#define TAIL_BLOCK    4096u              /* what is read of it at once */

#define SIGN_LOCAL     0x04034b50u
#define SIGN_ENTRY     0x02014b50u
#define SIGN_END       0x06054b50u
#define SIGN_END64     0x06064b50u
#define SIGN_LOCATOR64 0x07064b50u

/* What an end record says. */
struct end {
	uint64_t record; /* where the directory has to end: at this record or its zip64 form */
	uint64_t members, len, offset;
	bool plain; /* one disk, and the zip64 record, if any, says the same */
	bool zip64;
	uint64_t record_offset; /* of the zip64 record, as recorded */
};

/* Does a number of a fixed place hold v? False past the end. */
static tg_status
holds(struct tg_window *w, uint64_t offset, size_t width, uint64_t v, bool *ret,
    struct tg_error *err)
{
	uint64_t there = 0;

	*ret = false;
	if (offset > w->src->size || w->src->size - offset < width)
		return TG_OK;
	TG_TRY(tg_window_le(w, offset, width, &there, err));
	*ret = there == v;
	return TG_OK;
}

tg_status
tg_zip_probe(const struct tg_source *src, bool *ret, struct tg_error *err)
{
	struct tg_window w;
	bool local = false, end = false;

	tg_window_init(&w, src);
	TG_TRY(holds(&w, 0, 4, SIGN_LOCAL, &local, err));
	TG_TRY(holds(&w, 0, 4, SIGN_END, &end, err));
	*ret = local || end;
	return TG_OK;
}

/* Each number of the old record is that of the zip64 record, or all ones for "see there". */
static bool
same_or_ones(uint64_t old, unsigned width, uint64_t v)
{
	return old == v || old == (UINT64_C(1) << 8 * width) - 1;
}

/* The zip64 record before the locator before the end record at `at`; e holds the old numbers,
 * which stay when there is no such record. */
static tg_status
end64_read(struct tg_window *w, uint64_t at, struct end *e, struct tg_error *err)
{
	uint64_t disks[4] = { 0 }, all = 0;
	struct end e64 = { .zip64 = true };
	bool sign = false;

	e->plain = false;
	if (at < LOCATOR64_LEN + END64_LEN)
		return TG_OK;
	e64.record = at - LOCATOR64_LEN - END64_LEN;
	TG_TRY(holds(w, e64.record, 4, SIGN_END64, &sign, err));
	if (!sign)
		return TG_OK;
	TG_TRY(tg_window_le(w, at - 16, 4, &disks[0], err));
	TG_TRY(tg_window_le(w, at - 12, 8, &e64.record_offset, err));
	TG_TRY(tg_window_le(w, at - 4, 4, &disks[1], err));
	TG_TRY(tg_window_le(w, e64.record + 16, 4, &disks[2], err));
	TG_TRY(tg_window_le(w, e64.record + 20, 4, &disks[3], err));
	TG_TRY(tg_window_le(w, e64.record + 24, 8, &all, err));
	TG_TRY(tg_window_le(w, e64.record + 32, 8, &e64.members, err));
	TG_TRY(tg_window_le(w, e64.record + 40, 8, &e64.len, err));
	TG_TRY(tg_window_le(w, e64.record + 48, 8, &e64.offset, err));
	e64.plain = disks[0] == 0 && disks[1] == 1 && disks[2] == 0 && disks[3] == 0 &&
	    e64.members == all && same_or_ones(e->members, 2, all) &&
	    same_or_ones(e->len, 4, e64.len) && same_or_ones(e->offset, 4, e64.offset);
	*e = e64;
	return TG_OK;
}

/* The record at `at`, whose signature has been seen. */
static tg_status
end_read(struct tg_window *w, uint64_t at, struct end *ret, struct tg_error *err)
{
	uint64_t disks = 0, here = 0;
	bool zip64 = false;

	ret->record = at;
	TG_TRY(tg_window_le(w, at + 4, 4, &disks, err));
	TG_TRY(tg_window_le(w, at + 8, 2, &here, err));
	TG_TRY(tg_window_le(w, at + 10, 2, &ret->members, err));
	TG_TRY(tg_window_le(w, at + 12, 4, &ret->len, err));
	TG_TRY(tg_window_le(w, at + 16, 4, &ret->offset, err));
	ret->plain = disks == 0 && here == ret->members;
	if (at >= LOCATOR64_LEN)
		TG_TRY(holds(w, at - LOCATOR64_LEN, 4, SIGN_LOCATOR64, &zip64, err));
	return zip64 ? end64_read(w, at, ret, err) : TG_OK;
}

/* A directory is expected in front of the end record by some readers, at the recorded offset by
 * others. *ret is true when one of them finds something; then both must find the same. */
static tg_status
directory_find(struct tg_zip *z, const struct end *e, bool *ret, struct tg_error *err)
{
	bool before = false, recorded = false, record64 = false;
	uint64_t at = e->len <= e->record ? e->record - e->len : 0;
	uint64_t start = e->offset <= at ? at - e->offset : 0;

	TG_TRY(holds(&z->in, at, 4, SIGN_ENTRY, &before, err));
	TG_TRY(holds(&z->in, e->offset, 4, SIGN_ENTRY, &recorded, err));
	TG_TRY(holds(&z->in, e->record_offset, 4, SIGN_END64, &record64, err));
	*ret = before || recorded;
	if (!*ret)
		return TG_OK;
	TG_REQUIRE(before && e->plain && at + e->len == e->record && start + e->offset == at &&
		(start == 0 || (!recorded && !record64)) &&
		(!e->zip64 || e->record_offset == e->record - start),
	    err, TG_E_FORMAT, "offset %" PRIu64 ": a zip end record that readers take differently",
	    e->record);
	z->directory = at;
	z->directory_end = e->record;
	z->start = start;
	return TG_OK;
}

static tg_status
record_try(struct tg_zip *z, uint64_t at, bool *ret_found, struct tg_error *err)
{
	struct end e = { 0 };

	if (z->in.src->size - at < END_LEN)
		return TG_OK;
	TG_TRY(end_read(&z->in, at, &e, err));
	z->directory = z->directory_end = z->start = e.record; /* as in an empty archive */
	if (e.len > 0)
		TG_TRY(directory_find(z, &e, ret_found, err));
	else
		*ret_found = e.members == 0;
	if (!*ret_found)
		return TG_OK;
	TG_REQUIRE(e.members <= TG_MAX_ZIP_MEMBERS, err, TG_E_LIMIT,
	    "offset %" PRIu64 ": a zip of %" PRIu64 " members, at most %u expected", at, e.members,
	    TG_MAX_ZIP_MEMBERS);
	TG_REQUIRE(e.members > 0 || e.len == 0, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a zip directory without members", at);
	z->end_record = at;
	z->members = z->left = e.members;
	z->at = z->directory;
	z->unread = z->directory - z->start;
	return TG_OK;
}

/* Blocks of the tail are read from the back, so that the usual record, at the very end, is found
 * in the first. */
tg_status
tg_zip_open(const struct tg_source *src, uint64_t before, struct tg_zip *ret, bool *ret_found,
    struct tg_error *err)
{
	uint64_t first = src->size > TAIL_LEN ? src->size - TAIL_LEN : 0;
	struct tg_window tail;
	uint8_t block[TAIL_BLOCK + 3];

	*ret_found = false;
	tg_window_init(&tail, src);
	tg_window_init(&ret->in, src);
	while (before > first) {
		/* three bytes of the block behind, for a signature across the border */
		uint64_t start = before - first > TAIL_BLOCK ? before - TAIL_BLOCK : first;
		uint64_t end = src->size - before < 3 ? src->size : before + 3;

		TG_TRY(src->read_at(src->ctx, block, (size_t)(end - start), start, err));
		for (; before > start; before--) {
			uint64_t at = before - 1;
			const uint8_t *p = block + (at - start);

			if (end - at < 4 || memcmp(p, "PK\5\6", 4) != 0)
				continue;
			TG_TRY(record_try(ret, at, ret_found, err));
			if (*ret_found)
				return TG_OK;
		}
	}
	return TG_OK;
}

/* What is left of the zip64 extra field: what does not fit the entry, in a fixed order. */
struct wide {
	uint64_t at, left;
};

static tg_status
wide_get(struct tg_zip *z, struct wide *x, uint64_t *v, struct tg_error *err)
{
	if (*v != UINT32_MAX)
		return TG_OK;
	TG_REQUIRE(x->left >= 8, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a zip64 extra field of 8 more bytes expected", x->at);
	TG_TRY(tg_window_le(&z->in, x->at, 8, v, err));
	x->at += 8;
	x->left -= 8;
	return TG_OK;
}

/* The extra fields from `at` to `end`: find the zip64 one. */
static tg_status
extra_find(struct tg_zip *z, uint64_t at, uint64_t end, struct wide *x, struct tg_error *err)
{
	uint64_t id = 0, len = 0;
	bool seen = false;

	while (end - at >= 4) {
		TG_TRY(tg_window_le(&z->in, at, 2, &id, err));
		TG_TRY(tg_window_le(&z->in, at + 2, 2, &len, err));
		TG_REQUIRE(len <= end - at - 4, err, TG_E_FORMAT,
		    "offset %" PRIu64 ": an extra field of %" PRIu64 " bytes, %" PRIu64 " are left",
		    at, len, end - at - 4);
		at += 4;
		if (id == 1) {
			TG_REQUIRE(!seen, err, TG_E_FORMAT,
			    "offset %" PRIu64 ": a second zip64 extra field", at);
			seen = true;
			x->at = at;
			x->left = len;
		}
		at += len;
	}
	return TG_OK;
}

static tg_status
name_get(struct tg_zip *z, uint64_t at, uint64_t len, struct tg_zip_member *m, struct tg_error *err)
{
	TG_REQUIRE(len <= TG_MAX_PATH_LEN, err, TG_E_LIMIT,
	    "offset %" PRIu64 ": a member's name of %" PRIu64 " bytes, at most %u expected", at,
	    len, TG_MAX_PATH_LEN);
	TG_TRY(tg_window_read(&z->in, at, m->name, (size_t)len, err));
	m->name_len = (size_t)len;
	m->name[len] = '\0';
	TG_REQUIRE(memchr(m->name, 0, m->name_len) == NULL, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a member's name with a NUL", at);
	return TG_OK;
}

/* The fixed numbers of an entry at z->at, and how long its name, extra field and comment are. */
struct entry {
	uint64_t flags, method, packed, size, name, extra, comment, disk, header;
};

static tg_status
entry_get(struct tg_zip *z, struct entry *ret, struct tg_error *err)
{
	const struct {
		uint8_t offset, width;
		uint64_t *to;
	} fields[] = { { 8, 2, &ret->flags }, { 10, 2, &ret->method }, { 20, 4, &ret->packed },
		{ 24, 4, &ret->size }, { 28, 2, &ret->name }, { 30, 2, &ret->extra },
		{ 32, 2, &ret->comment }, { 34, 2, &ret->disk }, { 42, 4, &ret->header } };
	bool sign = false;

	TG_TRY(holds(&z->in, z->at, 4, SIGN_ENTRY, &sign, err));
	TG_REQUIRE(sign && z->directory_end - z->at >= ENTRY_LEN, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": an entry of a zip directory expected", z->at);
	for (size_t i = 0; i < TG_LEN(fields); i++)
		TG_TRY(tg_window_le(&z->in, z->at + fields[i].offset, fields[i].width,
		    fields[i].to, err));
	TG_REQUIRE(ret->name + ret->extra + ret->comment <= z->directory_end - z->at - ENTRY_LEN,
	    err, TG_E_FORMAT, "offset %" PRIu64 ": an entry that leaves its zip directory", z->at);
	return TG_OK;
}

/* Members share no bytes: no archive means that, and it bounds the work of looking into them. */
static tg_status
claim(struct tg_zip *z, const struct tg_zip_member *m, struct tg_error *err)
{
	uint64_t need = LOCAL_LEN + m->name_len;

	TG_REQUIRE(m->header < z->directory && need <= z->unread && m->packed <= z->unread - need,
	    err, TG_E_FORMAT,
	    "offset %" PRIu64 ": zip members of more bytes than there are before the directory",
	    z->at);
	z->unread -= need + m->packed;
	return TG_OK;
}

tg_status
tg_zip_next(struct tg_zip *z, struct tg_zip_member *ret, struct tg_error *err)
{
	uint64_t at = z->at + ENTRY_LEN;
	struct entry e = { 0 };
	struct wide x = { 0 };

	TG_TRY(entry_get(z, &e, err));
	TG_TRY(name_get(z, at, e.name, ret, err));
	TG_TRY(extra_find(z, at + e.name, at + e.name + e.extra, &x, err));
	TG_TRY(wide_get(z, &x, &e.size, err));
	TG_TRY(wide_get(z, &x, &e.packed, err));
	TG_TRY(wide_get(z, &x, &e.header, err));
	ret->method = (uint16_t)e.method;
	ret->encrypted = (e.flags & 1) != 0;
	ret->packed = e.packed;
	ret->size = e.size;
	TG_REQUIRE(e.disk == 0 && tg_add_u64(e.header, z->start, &ret->header), err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a member on another disk", z->at);
	TG_TRY(claim(z, ret, err));
	z->at = at + e.name + e.extra + e.comment;
	z->left--;
	TG_REQUIRE(z->left > 0 || z->at == z->directory_end, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": %" PRIu64 " bytes too many in a zip directory", z->at,
	    z->directory_end - z->at);
	return TG_OK;
}

tg_status
tg_zip_data(struct tg_zip *z, const struct tg_zip_member *m, uint64_t *ret_offset,
    struct tg_error *err)
{
	uint64_t method = 0, name = 0, extra = 0, data = 0;
	uint8_t there[TG_MAX_PATH_LEN];
	bool sign = false;

	TG_TRY(holds(&z->in, m->header, 4, SIGN_LOCAL, &sign, err));
	TG_REQUIRE(sign, err, TG_E_FORMAT, "offset %" PRIu64 ": a zip member's header expected",
	    m->header);
	TG_TRY(tg_window_le(&z->in, m->header + 8, 2, &method, err));
	TG_TRY(tg_window_le(&z->in, m->header + 26, 2, &name, err));
	TG_TRY(tg_window_le(&z->in, m->header + 28, 2, &extra, err));
	TG_REQUIRE(method == m->method && name == m->name_len, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a zip member's header that differs from the directory", m->header);
	TG_TRY(tg_window_read(&z->in, m->header + LOCAL_LEN, there, m->name_len, err));
	TG_REQUIRE(memcmp(there, m->name, m->name_len) == 0, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a zip member's name that differs from the directory", m->header);
	data = m->header + LOCAL_LEN + name + extra;
	TG_REQUIRE(data <= z->directory && m->packed <= z->directory - data, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a zip member of %" PRIu64 " bytes, %" PRIu64
	    " are left before the directory",
	    data, m->packed, data <= z->directory ? z->directory - data : 0);
	*ret_offset = data;
	return TG_OK;
}
