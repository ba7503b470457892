#include "../../tap.h"
#include "make.h"
#include "tensor/tar.h"

static struct made tar;

/* A header with a right checksum, and n bytes of contents in whole blocks. */
static void
put_tar(const char *name, char type, const void *p, size_t n)
{
	uint8_t block[512] = { 0 };
	unsigned sum = 0;

	memcpy(block, name, strlen(name));
	snprintf((char *)block + 100, 8, "%07o", 0644u);
	snprintf((char *)block + 124, 12, "%011o", (unsigned)n);
	memset(block + 148, ' ', 8);
	block[156] = (uint8_t)type;
	memcpy(block + 257, "ustar", 6);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += block[i];
	snprintf((char *)block + 148, 8, "%06o", sum);
	put(&tar, block, sizeof(block));
	put(&tar, p, n);
	while (tar.n % 512 != 0)
		put(&tar, "", 1);
}

/* Records with contents, or -1 on a failure. */
static int
count(size_t n)
{
	SOURCE(src, tar.b, n);
	struct tg_tar_member m;
	bool found = true;
	struct tg_tar t;
	int members = 0;

	tg_tar_init(&t, &src);
	for (;; members++) {
		if (tg_tar_next(&t, &m, &found, NULL) != TG_OK)
			return -1;
		if (!found)
			return members;
		if (m.offset > n || m.size > n - m.offset)
			abort();
	}
}

static void
build(void)
{
	tar.n = 0;
	put_tar("dir/", '5', "", 0);
	put_tar("a.txt", '0', "hello", 5);
	put_tar("link", '2', "", 0);
	put_tar("b.bin", '\0', tar.b, 512);
	for (unsigned i = 0; i < 1024; i++)
		put(&tar, "", 1);
}

static void
members(void)
{
	struct tg_tar_member m;
	struct tg_tar t;
	bool found = false;

	build();
	SOURCE(src, tar.b, tar.n);
	OK(tg_tar_probe(&src, &found, NULL) == TG_OK && found);
	tg_tar_init(&t, &src);
	OK(tg_tar_next(&t, &m, &found, NULL) == TG_OK && found);
	OK(strcmp(m.name, "a.txt") == 0 && m.size == 5 &&
	    memcmp(tar.b + m.offset, "hello", 5) == 0);
	OK(tg_tar_next(&t, &m, &found, NULL) == TG_OK && found);
	OK(strcmp(m.name, "b.bin") == 0 && m.size == 512 && m.offset == 2560);
	OK(tg_tar_next(&t, &m, &found, NULL) == TG_OK && !found);
	tar.b[0] ^= 1;
	OK(tg_tar_probe(&src, &found, NULL) == TG_OK && !found);
}

static void
what_readers_take_differently(void)
{
	static const char pax[] = "12 size=1000\n", sparse[] = "22 GNU.sparse.major=1\n";
	static char padded[4096];

	tar.n = 0;
	put_tar("x", 'x', "11 path=abc\n", 12);
	put_tar("a", '0', "hello", 5);
	OK(count(tar.n) == 2);
	tar.n = 0;
	put_tar("x", 'x', pax, sizeof(pax) - 1);
	put_tar("a", '0', "hello", 5);
	OK(count(tar.n) == -1);
	tar.n = 0;
	put_tar("g", 'g', sparse, sizeof(sparse) - 1);
	OK(count(tar.n) == -1);
	for (size_t at = 1000; at < 1040; at++) { /* over the border of what is read at once */
		memset(padded, ' ', sizeof(padded));
		memcpy(padded + at, "size=", 5);
		tar.n = 0;
		put_tar("x", 'x', padded, sizeof(padded));
		if (count(tar.n) != -1)
			break;
		if (at == 1039)
			OK(1);
	}
	tar.n = 0;
	put_tar("s", 'S', "hello", 5);
	OK(count(tar.n) == -1);
	tar.n = 0;
	put_tar("folder/", '\0', "hello", 5);
	OK(count(tar.n) == -1);
}

static void
every_truncation_and_flip_is_clean(void)
{
	size_t whole;

	build();
	whole = tar.n;
	for (size_t n = 0; n < whole; n += 7)
		(void)count(n);
	OK(count(1024 + 3) == 1); /* cut inside a member: what is there can be looked into */
	for (size_t bit = 0; bit < 8 * 1536; bit++) {
		tar.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		(void)count(whole);
		tar.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	OK(count(whole) == 2);
}

static void
sizes(void)
{
	uint8_t *size = tar.b + 124;
	unsigned sum = 0;

	tar.n = 0;
	put_tar("a", '0', "hello", 5);
	memset(size, 0, 12);
	size[0] = 0x80; /* base 256 */
	size[11] = 3;
	memset(tar.b + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += tar.b[i];
	snprintf((char *)tar.b + 148, 8, "%06o", sum);
	OK(count(tar.n) == 1);
	size[3] = 1; /* 2^64 and more */
	sum++;
	snprintf((char *)tar.b + 148, 8, "%06o", sum);
	OK(count(tar.n) == -1);
	size[3] = 0;
	size[4] = 1; /* 2^56: cut at the end of the file */
	snprintf((char *)tar.b + 148, 8, "%06o", sum);
	OK(count(tar.n) == 1);
	size[0] = 'x';
	sum += 'x' - 0x80u;
	snprintf((char *)tar.b + 148, 8, "%06o", sum);
	OK(count(tar.n) == -1);
}

int
main(void)
{
	members();
	what_readers_take_differently();
	every_truncation_and_flip_is_clean();
	sizes();
	return tap_done();
}
