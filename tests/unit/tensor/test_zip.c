#include "../../tap.h"
#include "make.h"
#include "tensor/zip.h"

static struct made zip, dir;

/* Two members, one stored and one deflated, and `prefix` before them. */
static void
build(const char *prefix, bool offsets_count_it)
{
	static struct made body;

	body.n = dir.n = zip.n = 0;
	put_str(&zip, prefix);
	if (offsets_count_it) {
		put_zip_stored(&zip, &dir, "a.txt", "hello", 5);
		put_zip_deflated(&zip, &dir, "dir/b.txt", "hello hello hello", 17);
		put_zip_end(&zip, &dir, 2, zip.n);
	} else {
		put_zip_stored(&body, &dir, "a.txt", "hello", 5);
		put_zip_deflated(&body, &dir, "dir/b.txt", "hello hello hello", 17);
		put_zip_end(&body, &dir, 2, body.n);
		put_made(&zip, &body);
	}
}

/* Members that can be read, or -1 on a failure, or -2 when there is no zip. */
static int
count(const uint8_t *p, size_t n)
{
	SOURCE(src, p, n);
	struct tg_zip_member m;
	uint64_t data = 0;
	struct tg_zip z;
	bool found = false;
	int members = 0;

	if (tg_zip_open(&src, src.size, &z, &found, NULL) != TG_OK)
		return -1;
	if (!found)
		return -2;
	for (; tg_zip_more(&z); members++)
		if (tg_zip_next(&z, &m, NULL) != TG_OK || tg_zip_data(&z, &m, &data, NULL) != TG_OK)
			return -1;
	return members;
}

static void
members_of_a_good_file(void)
{
	struct tg_zip_member m;
	uint64_t data = 0;
	struct tg_zip z;
	bool found = false;

	build("", true);
	SOURCE(src, zip.b, zip.n);
	OK(tg_zip_probe(&src, &found, NULL) == TG_OK && found);
	OK(tg_zip_open(&src, src.size, &z, &found, NULL) == TG_OK && found && z.members == 2);
	OK_STATUS(tg_zip_next(&z, &m, NULL), TG_OK);
	OK(strcmp(m.name, "a.txt") == 0 && m.method == TG_ZIP_STORED && m.size == 5 &&
	    !m.encrypted);
	OK(tg_zip_data(&z, &m, &data, NULL) == TG_OK && memcmp(zip.b + data, "hello", 5) == 0);
	OK_STATUS(tg_zip_next(&z, &m, NULL), TG_OK);
	OK(strcmp(m.name, "dir/b.txt") == 0 && m.method == TG_ZIP_DEFLATED && m.size == 17);
	OK(!tg_zip_more(&z));
	OK(tg_zip_open(&src, z.end_record, &z, &found, NULL) == TG_OK && !found);
}

static void
bytes_around_the_archive(void)
{
	build("#!/bin/sh\n", true);
	OK(count(zip.b, zip.n) == 2);
	build("#!/bin/sh\n", false);
	OK(count(zip.b, zip.n) == 2);
	put_str(&zip, "and some more behind it");
	OK(count(zip.b, zip.n) == 2);
	for (size_t i = 0; i < 65000; i++)
		put_str(&zip, "x");
	OK(count(zip.b, zip.n) == 2);
	for (size_t i = 0; i < 600; i++)
		put_str(&zip, "x");
	OK(count(zip.b, zip.n) == -2); /* too far from the end for any reader */
	zip.n = dir.n = 0;
	put_zip_end(&zip, &dir, 0, 0);
	OK(count(zip.b, zip.n) == 0);
	OK(count(zip.b, 0) == -2);
}

static void
an_end_record_in_the_comment(void)
{
	struct tg_zip z;
	bool found = false;

	/* a comment that is an empty archive's end record: two archives, both are offered */
	build("", true);
	zip.b[zip.n - 2] = 22;
	dir.n = 0;
	put_zip_end(&zip, &dir, 0, 0);
	SOURCE(src, zip.b, zip.n);
	OK(tg_zip_open(&src, src.size, &z, &found, NULL) == TG_OK && found && z.members == 0);
	OK(tg_zip_open(&src, z.end_record, &z, &found, NULL) == TG_OK && found && z.members == 2);
	/* a comment that only looks like the start of one */
	build("", true);
	zip.b[zip.n - 2] = 30;
	put_str(&zip, "PK\5\6 is how a directory's end ");
	OK(count(zip.b, zip.n) == 2);
}

/* Readers that count back from the end and readers that believe the recorded offset. */
static void
two_directories(void)
{
	static struct made first, second;

	first.n = second.n = zip.n = dir.n = 0;
	put_zip_stored(&zip, &first, "good.txt", "hello", 5);
	uint64_t at = zip.n;
	put_made(&zip, &first); /* what the recorded offset leads to */
	put_zip_stored(&zip, &second, "evil.pkl", "hello", 5);
	put_zip_end(&zip, &second, 1, at);
	OK(count(zip.b, zip.n) == -1);
	put_zip_end(&zip, &second, 0, at); /* none counted, but bytes there */
	OK(count(zip.b, zip.n) == -1);
}

static void
lies(void)
{
	static struct made body;
	size_t end, directory;

	build("", true);
	end = zip.n - 22;
	directory = end - dir.n;
	zip.b[end + 4] = 1; /* another disk */
	OK(count(zip.b, zip.n) == -1);
	zip.b[end + 4] = 0;
	zip.b[end + 8] = 1; /* not all members here */
	OK(count(zip.b, zip.n) == -1);
	zip.b[end + 8] = zip.b[end + 10] = 1; /* one member, but two entries */
	OK(count(zip.b, zip.n) == -1);
	zip.b[end + 8] = zip.b[end + 10] = 3;
	OK(count(zip.b, zip.n) == -1);
	zip.b[end + 8] = zip.b[end + 10] = 2;
	OK(count(zip.b, zip.n) == 2);
	zip.b[30] = 'A'; /* the local header has another name */
	OK(count(zip.b, zip.n) == -1);
	zip.b[30] = 'a';
	zip.b[8] = 8; /* and another method */
	OK(count(zip.b, zip.n) == -1);
	zip.b[8] = 0;
	zip.b[0] = 'Q'; /* or is none */
	OK(count(zip.b, zip.n) == -1);
	zip.b[0] = 'P';
	zip.b[directory + 20] = 200; /* a member that reaches into the directory */
	OK(count(zip.b, zip.n) == -1);
	zip.b[directory + 20] = 5;
	zip.b[directory + 46] = 0; /* a name that C and Python cut */
	OK(count(zip.b, zip.n) == -1);
	/* two entries for the same bytes */
	body.n = dir.n = 0;
	put_zip_stored(&body, &dir, "a", "0123456789012345678901234567890123456789", 40);
	static struct made twice;
	twice.n = 0;
	put_made(&twice, &dir);
	put_made(&twice, &dir);
	put_zip_end(&body, &twice, 2, body.n);
	OK(count(body.b, body.n) == -1);
}

/* The same archive with all its numbers in zip64 records. */
static void
build64(void)
{
	size_t at, record;

	zip.n = dir.n = 0;
	put_zip_stored(&zip, &dir, "a.txt", "hello", 5);
	dir.b[20] = dir.b[21] = dir.b[22] = dir.b[23] = 0xff; /* packed size */
	dir.b[24] = dir.b[25] = dir.b[26] = dir.b[27] = 0xff; /* size */
	dir.b[42] = dir.b[43] = dir.b[44] = dir.b[45] = 0xff; /* offset */
	dir.b[30] = 28;
	put_le(&dir, 1, 2);
	put_le(&dir, 24, 2);
	put_le(&dir, 5, 8);
	put_le(&dir, 5, 8);
	put_le(&dir, 0, 8);
	at = zip.n;
	put_made(&zip, &dir);
	record = zip.n;
	put_str(&zip, "PK\6\6");
	put_le(&zip, 44, 8);
	put_le(&zip, 45, 2);
	put_le(&zip, 45, 2);
	put_le(&zip, 0, 8);
	put_le(&zip, 1, 8);
	put_le(&zip, 1, 8);
	put_le(&zip, dir.n, 8);
	put_le(&zip, at, 8);
	put_str(&zip, "PK\6\7");
	put_le(&zip, 0, 4);
	put_le(&zip, record, 8);
	put_le(&zip, 1, 4);
	put_str(&zip, "PK\5\6");
	put_le(&zip, 0, 4);
	put_le(&zip, UINT64_MAX, 2 + 2 + 4);
	put_le(&zip, UINT64_MAX, 4);
	put_le(&zip, 0, 2);
}

static void
zip64(void)
{
	size_t end;

	build64();
	end = zip.n - 22;
	OK(count(zip.b, zip.n) == 1);
	zip.b[end + 10] = 2; /* the old record disagrees */
	zip.b[end + 11] = 0;
	OK(count(zip.b, zip.n) == -1);
	build64();
	zip.b[end - 12]++; /* the locator points elsewhere */
	OK(count(zip.b, zip.n) == -1);
	build64();
	zip.b[end - 20 - 56] = 'Q'; /* no record before the locator: readers differ or fail */
	OK(count(zip.b, zip.n) < 0);
	build64();
	dir.n = 0;
	zip.b[zip.n - 22 - 20 - 56 - 28 + 2] = 8; /* the extra field is too short */
	OK(count(zip.b, zip.n) == -1);
}

static void
every_truncation_and_flip_is_clean(void)
{
	unsigned n = 0, wrong = 0;
	size_t whole;

	build("", true);
	whole = zip.n;
	for (size_t len = 0; len < whole; len++, n++)
		wrong += count(zip.b, len) >= 0;
	OK_NONE(wrong, n, "truncations");
	for (size_t bit = 0; bit < 8 * whole; bit++) {
		zip.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		(void)count(zip.b, whole); /* the source aborts on a read past the end */
		zip.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	OK(count(zip.b, whole) == 2);
}

/* The signature is found wherever it lies with respect to the blocks that the tail is read in. */
static void
any_comment_length(void)
{
	unsigned wrong = 0, n = 0;

	for (size_t len = 0; len <= 65535; len += len < 5000 ? 1 : 997, n++) {
		build("", true);
		zip.b[zip.n - 2] = (uint8_t)len;
		zip.b[zip.n - 1] = (uint8_t)(len >> 8);
		memset(zip.b + zip.n, ' ', len);
		wrong += count(zip.b, zip.n + len) != 2;
	}
	OK_NONE(wrong, n, "comments");
}

int
main(void)
{
	members_of_a_good_file();
	bytes_around_the_archive();
	an_end_record_in_the_comment();
	two_directories();
	lies();
	zip64();
	every_truncation_and_flip_is_clean();
	any_comment_length();
	return tap_done();
}
