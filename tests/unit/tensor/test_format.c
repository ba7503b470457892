#include "../../tap.h"
#include "make.h"
#include "tensor/format.h"

static const char *
sniff(const void *p, size_t n, const char *path)
{
	SOURCE(src, p, n);
	const char *got = tg_format_sniff(&src, tg_bytes_str(path));

	return got == NULL ? "nothing" : got;
}

#define SNIFF(bytes, path) sniff(bytes, sizeof(bytes) - 1, path)
#define IS(call, want)     OK(strcmp(call, want) == 0)

static struct made zip, dir;

static const char *
zip_of(const char *a, const char *b)
{
	zip.n = dir.n = 0;
	put_zip_stored(&zip, &dir, a, "x", 1);
	put_zip_stored(&zip, &dir, b, "y", 1);
	put_zip_end(&zip, &dir, 2, zip.n);
	return sniff(zip.b, zip.n, "file");
}

static void
by_content(void)
{
	static char block[4096];

	IS(SNIFF("", ""), "nothing");
	IS(SNIFF("\0\0\0", "model.onnx"), "nothing");
	IS(SNIFF("\2\0\0\0\0\0\0\0{}", "x"), "safetensors");
	IS(SNIFF("\x08\x08\x3a\x00", "x"), "onnx");
	IS(SNIFF("\x93NUMPY\1\0", "x"), "npy");
	IS(SNIFF("\x1c\0\0\0TFL3....", "x"), "tflite");
	IS(SNIFF("GGUF\3\0\0\0", "x"), "gguf");
	IS(SNIFF("\x89HDF\r\n\x1a\n....", "x"), "hdf5");
	memcpy(block + 1024, "\x89HDF\r\n\x1a\n", 8);
	IS(sniff(block, sizeof(block), "x"), "hdf5");
	IS(SNIFF("\x80\4N.", "x.bin"), "pickle");
	IS(SNIFF("cos\nsystem\n(S'x'\ntR.", "x"), "pickle");
}

static void
zips(void)
{
	IS(zip_of("model/data.pkl", "model/version"), "pytorch-zip");
	IS(zip_of("config.json", "model.weights.h5"), "keras");
	IS(zip_of("a.npy", "b.npy"), "npz");
	IS(zip_of("a.npy", "b.txt"), "zip");
	IS(zip_of("config.json", "metadata.json"), "zip");
	IS(sniff(zip.b, zip.n - 1, "x"), "nothing");
}

static void
by_name_and_content(void)
{
	IS(SNIFF("\x08\x01\x12\x00", "model/saved_model.pb"), "tf-savedmodel");
	IS(SNIFF("\x08\x01\x12\x00", "model/other.pb"), "nothing");
	IS(SNIFF("text", "saved_model.pb"), "nothing");
	IS(SNIFF(" \n{\"a\": 1}", "Config.JSON"), "json");
	IS(SNIFF("{\"a\": 1}", "config"), "nothing");
	IS(SNIFF("text", "config.json"), "nothing");
	IS(SNIFF("cat\r\ndog\n\xc3\xa9\n", "labels.txt"), "txt");
	IS(SNIFF("cat\0dog", "labels.txt"), "nothing");
	IS(SNIFF("cat\xff", "labels.txt"), "nothing");
	IS(SNIFF("cat", "labels"), "nothing");
}

/* A character of several bytes may lie across the end of what is_txt() looks at. */
static void
cut_characters(void)
{
	static const char *const chars[] = { "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
	static char text[1100];
	unsigned wrong = 0, n = 0;

	for (size_t i = 0; i < 3; i++)
		for (size_t at = 1018; at < 1026; at++, n++) {
			memset(text, 'x', sizeof(text));
			memcpy(text + at, chars[i], strlen(chars[i]));
			wrong += strcmp(sniff(text, sizeof(text), "a.txt"), "txt") != 0;
			wrong += strcmp(sniff(text, at + 1, "a.txt"), "nothing") != 0 && at < 1024;
		}
	OK_NONE(wrong, n, "cut characters");
}

static void
paths(void)
{
	OK(tg_path_ends(tg_bytes_str("a/B.PkL"), ".pkl") &&
	    !tg_path_ends(tg_bytes_str("kl"), ".pkl"));
	OK(tg_bytes_equal(tg_path_base(tg_bytes_str("a/b/c")), tg_bytes_str("c")));
	OK(tg_path_base(tg_bytes_str("a/")).n == 0);
	OK(tg_bytes_equal(tg_path_base(tg_bytes_str("c")), tg_bytes_str("c")));
	OK(tg_path_base((tg_bytes){ NULL, 0 }).n == 0);
}

/* Labels fit the manifest's [a-z0-9._-]{1,32}; a source that fails gives none. */
static void
failing_reads(void)
{
	unsigned wrong = 0;

	for (unsigned i = 1; i < 10; i++) {
		SOURCE(src, "\2\0\0\0\0\0\0\0{}", 10);

		src_f.fail_at = i;
		const char *got = tg_format_sniff(&src, tg_bytes_str("x"));
		wrong += got != NULL && strcmp(got, "safetensors") != 0;
	}
	OK_NONE(wrong, 9, "failing reads");
}

int
main(void)
{
	by_content();
	zips();
	by_name_and_content();
	cut_characters();
	paths();
	failing_reads();
	return tap_done();
}
