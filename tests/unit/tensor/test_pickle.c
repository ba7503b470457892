#include "../../tap.h"
#include <tensorguard/limits.h>

#include "make.h"
#include "tensor/pickle.h"

/* Python 3.11, pickle.dumps() of an object that calls os.system("true"), protocol 4. */
static const char evil[] = "\x80\4\x95\x1f\0\0\0\0\0\0\0\x8c\5posix\x94\x8c\6system\x94\x93\x94\x8c"
			   "\4true\x94\x85\x94R\x94.";
#define EVIL evil, sizeof(evil) - 1

static struct made zip, dir;
static char reason[TG_CODE_REASON_LEN];

/* 1 found, 0 not, or the status, negative. */
static int
find(const void *p, size_t n, const char *path)
{
	SOURCE(src, p, n);
	bool found = false;
	tg_status s;

	memset(reason, '#', sizeof(reason));
	s = tg_code_find(&src, tg_bytes_str(path), reason, &found, NULL);
	return s != TG_OK ? -(int)s : found;
}

/* As above, for a literal. */
#define FIND(bytes, path) find(bytes, sizeof(bytes) - 1, path)

static void
plain_files(void)
{
	static char big[70000];

	OK(FIND(evil, "model.pkl") == 1 &&
	    strcmp(reason,
		"is a pickle of protocol 4 (opcodes walk to "
		"STOP at byte 42)") == 0);
	OK(FIND(evil, "pytorch_model.bin") == 1);
	OK(FIND(evil, "README.txt") == 1);
	OK(FIND("cos\nsystem\n(S'true'\ntR.", "weights.bin") == 1);
	OK(FIND("", "weights.bin") == 0);
	OK(FIND("cat\ndog\nRabbit\n", "labels.txt") == 0);
	OK(FIND("\x80", "weights.bin") == 0);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 2654435761u >> 13);
	OK(find(big, sizeof(big), "weights.bin") == 0);
	memcpy(big, evil, sizeof(evil) - 1); /* more pickles and bytes may follow */
	OK(find(big, sizeof(big), "weights.bin") == 1);
}

static void
by_name(void)
{
	static const char *const names[] = { "a.pkl", "a.PICKLE", "dir/a.p", "a.pt", "a.pth",
		"a.ckpt", "a.joblib", "a.sav", "a.dill" };
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		wrong += FIND("I42\n.", names[i]) != 1;
		wrong +=
		    FIND("\2\0\0\0\0\0\0\0{}", names[i]) != 0; /* safetensors by another name */
	}
	OK_NONE(wrong, 2 * sizeof(names) / sizeof(names[0]), "names");
	OK(FIND("I42\n.", "a.bin") == 0);
	OK(FIND("I42\n.", "pkl") == 0);
	OK(FIND("I42\n.", "a.pkl") == 1 && strstr(reason, "by its name") != NULL);
}

static void
packed_streams(void)
{
	static uint8_t packed[1000];
	size_t n;

	n = deflate_raw(packed, sizeof(packed), EVIL, MAX_WBITS + 16);
	OK(find(packed, n, "model.gz") == 1 && strstr(reason, "compressed") != NULL);
	n = deflate_raw(packed, sizeof(packed), EVIL, MAX_WBITS);
	OK(find(packed, n, "model.bin") == 1);
	OK(find(packed, n / 2, "model.bin") == 0);
	n = deflate_raw(packed, sizeof(packed), "just text", 9, MAX_WBITS + 16);
	OK(find(packed, n, "notes.txt.gz") == 0);
}

static void
numpy_objects(void)
{
	static const char dict[] = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n";
	static struct made npy;

	npy.n = 0;
	put(&npy, "\x93NUMPY\1\0", 8);
	put_le(&npy, sizeof(dict) - 1, 2);
	put_str(&npy, dict);
	put(&npy, EVIL);
	OK(find(npy.b, npy.n, "a.npy") == 1 && strstr(reason, "Python objects") != NULL);
	zip.n = dir.n = 0;
	put_zip_deflated(&zip, &dir, "arr_0.npy", npy.b, npy.n);
	put_zip_end(&zip, &dir, 1, zip.n);
	OK(find(zip.b, zip.n, "a.npz") == 1 && strstr(reason, "member 'arr_0.npy'") != NULL);
}

/* A zip of one member, and what is found in it. */
static int
in_zip(bool deflated, const char *name, const void *p, size_t n)
{
	zip.n = dir.n = 0;
	put_zip_stored(&zip, &dir, "readme.txt", "hello", 5);
	if (deflated)
		put_zip_deflated(&zip, &dir, name, p, n);
	else
		put_zip_stored(&zip, &dir, name, p, n);
	put_zip_end(&zip, &dir, 2, zip.n);
	return find(zip.b, zip.n, "model.bin");
}

static void
zips(void)
{
	unsigned wrong = 0;

	for (unsigned deflated = 0; deflated < 2; deflated++) {
		wrong += in_zip(deflated, "archive/data.pkl", "x", 1) != 1;
		wrong += in_zip(deflated, "a.PT", "x", 1) != 1;
		wrong += in_zip(deflated, "a", EVIL) != 1;
		wrong += in_zip(deflated, "a", EVIL - 2) != 1; /* has run before it breaks */
		wrong += in_zip(deflated, "a.txt", "some text", 9) != 0;
		wrong += in_zip(deflated, "config.json", "{\"class_name\": \"Lambda\"}", 24) != 1;
		wrong += in_zip(deflated, "config.json", "{\"class_name\": \"Dense\"}", 23) != 0;
	}
	OK_NONE(wrong, 14, "members");
	OK(in_zip(false, "a\n\xff'", EVIL) == 1 &&
	    strstr(reason, "member 'a?\?'' is a pickle") != NULL);
	zip.b[zip.n - 22 - dir.n + 8] = 1; /* the first entry: encrypted */
	OK(find(zip.b, zip.n, "a") == 1 && strstr(reason, "encrypted") != NULL);
	in_zip(false, "a", "x", 1);
	zip.b[8] = zip.b[zip.n - 22 - dir.n + 10] = 14; /* lzma */
	OK(find(zip.b, zip.n, "a") == 1 && strstr(reason, "neither") != NULL);
}

static void
zips_that_cannot_be_read(void)
{
	OK(FIND("PK\3\4", "a") == -TG_E_FORMAT);
	in_zip(false, "a", "x", 1);
	OK(find(zip.b, zip.n - 1, "a") == -TG_E_FORMAT);
	OK(find(zip.b, zip.n - 22, "a.pt") == -TG_E_FORMAT);
	/* every directory that a reader may take: an empty archive is only the last of them */
	in_zip(false, "a", EVIL);
	dir.n = 0;
	put_zip_end(&zip, &dir, 0, 0);
	OK(find(zip.b, zip.n, "a") == 1);
	for (unsigned i = 0; i < TG_MAX_ZIP_DIRECTORIES; i++)
		put_zip_end(&zip, &dir, 0, 0);
	OK(find(zip.b, zip.n, "a") == -TG_E_LIMIT);
}

static void
nested_zips(void)
{
	static struct made inner, inner2;

	for (unsigned deflated = 0; deflated < 2; deflated++) {
		(void)in_zip(deflated, "a", EVIL);
		inner = zip;
		OK(in_zip(deflated, "inner.zip", inner.b, inner.n) == 1);
		OK(strstr(reason, "member 'inner.zip' member 'a' is a pickle") != NULL);
		inner2 = zip;
		OK(in_zip(deflated, "outer.zip", inner2.b, inner2.n) == 1);
		OK(strstr(reason, "too deep") != NULL);
		(void)in_zip(deflated, "a", "text", 4);
		inner = zip;
		OK(in_zip(deflated, "inner.zip", inner.b, inner.n) == 0);
	}
}

static void
deflated_members_that_break(void)
{
	static char payload[40000];
	uint32_t x = 1;

	/* letters, so that the stream is no plain copy; what comes before the break would have run
	 */
	for (size_t i = 0; i < sizeof(payload); i++) {
		x = x * 1664525 + 1013904223;
		payload[i] = (char)('a' + (x >> 27));
	}
	memcpy(payload, evil, sizeof(evil) - 1);
	zip.n = dir.n = 0;
	put_zip_deflated(&zip, &dir, "a", payload, sizeof(payload));
	put_zip_end(&zip, &dir, 1, zip.n);
	OK(zip.n > 10000 && find(zip.b, zip.n, "a") == 1);
	memset(zip.b + 2000, 0xff, 3000);
	OK(find(zip.b, zip.n, "a") == 1);
}

static void
tars(void)
{
	static struct made tar;
	uint8_t block[512] = "model.ckpt";
	unsigned sum = 0;

	snprintf((char *)block + 124, 12, "%011o", (unsigned)sizeof(evil) - 1);
	memset(block + 148, ' ', 8);
	block[156] = '0';
	for (size_t i = 0; i < sizeof(block); i++)
		sum += block[i];
	snprintf((char *)block + 148, 8, "%06o", sum);
	tar.n = 0;
	put(&tar, block, sizeof(block));
	put(&tar, EVIL);
	OK(find(tar.b, tar.n, "model.nemo") == 1 && strstr(reason, "member 'model.ckpt'") != NULL);
	memset(tar.b + 512, 'x', sizeof(evil) - 1);
	OK(find(tar.b, tar.n, "model.nemo") == 0);
}

static void
keras_models(void)
{
	static const char h5[] =
	    "\x89HDF\r\n\x1a\n....{\"class_name\": \"Lambda\", \"config\": {}}";
	static char late[4096];

	OK(FIND(h5, "model.h5") == 1 && strstr(reason, "Lambda") != NULL);
	OK(find(h5, sizeof(h5) - 20, "model.h5") == 0);
	memcpy(late + 2048, h5, sizeof(h5));
	OK(find(late, sizeof(late), "model.bin") == 1);
	OK(FIND("{\"class_name\": \"Lambda\"}", "model.json") == 1);
	OK(FIND("{\"class_name\": \"Lambda\"}", "model.md") == 0);
	OK(FIND("\n\3{\"class_name\": \"Lambda\"}", "m/keras_metadata.pb") == 1);
	OK(FIND("\n\3{\"class_name\": \"Lambda\"}", "m/saved_model.pb") == 0);
	OK(in_zip(false, "model.weights.h5", h5, sizeof(h5) - 1) == 0);
	OK(in_zip(false, "old_model.h5", h5, sizeof(h5) - 1) == 1);
	OK(in_zip(true, "old_model.h5", h5, sizeof(h5) - 1) == 1);
}

/* Cut or flipped anywhere: an answer or an error, and nothing else. */
static void
every_truncation_and_flip_is_clean(void)
{
	(void)in_zip(true, "config.json", "{\"class_name\": \"Dense\", \"config\": {}}", 38);
	for (size_t n = 0; n < zip.n; n++)
		(void)find(zip.b, n, "a.keras");
	for (size_t bit = 0; bit < 8 * zip.n; bit++) {
		zip.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		(void)find(zip.b, zip.n, "a.keras");
		zip.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	OK(find(zip.b, zip.n, "a.keras") == 0);
}

static void
every_failing_read_is_reported(void)
{
	unsigned wrong = 0, n = 1;
	bool found = false;

	(void)in_zip(true, "config.json", "{\"class_name\": \"Dense\"}", 23);
	for (;; n++) {
		SOURCE(src, zip.b, zip.n);
		tg_status s;

		src_f.fail_at = n;
		s = tg_code_find(&src, tg_bytes_str("a.keras"), reason, &found, NULL);
		if (s == TG_OK)
			break;
		wrong += s != TG_E_IO;
	}
	OK_NONE(wrong, n - 1, "failing reads");
}

int
main(void)
{
	plain_files();
	by_name();
	packed_streams();
	numpy_objects();
	zips();
	zips_that_cannot_be_read();
	nested_zips();
	deflated_members_that_break();
	tars();
	keras_models();
	every_truncation_and_flip_is_clean();
	every_failing_read_is_reported();
	return tap_done();
}
