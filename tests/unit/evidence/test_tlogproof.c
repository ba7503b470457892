/* Proof files: what is written reads back, and nothing else does. */
#include "../../tap.h"
#include "evidence/tlogproof.h"
#include "util/text.h"
#include "util/try.h"

#include <tensorguard/limits.h>

#define HEAD "c2sp.org/tlog-proof@v1\n"
#define HASH "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"

static void
the_example_parses(void)
{
	static const char checkpoint[] =
	    "example.com/fancylog\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n"
	    "\xe2\x80\x94 example.com/fancylog hI2DJw==\n";
	static const char *const hashes = HASH "B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n"
					       "EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\n"
					       "RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n"
					       "AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n";
	char text[1024];
	struct tg_tlogproof p;
	struct tg_buf b = { .max = 4096 };

	(void)snprintf(text, sizeof(text), HEAD "extra %s\nindex 73894\n%s\n%s",
	    "YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6", hashes, checkpoint);
	OK_STATUS(tg_tlogproof_parse(tg_bytes_str(text), "proof", &p, NULL), TG_OK);
	OK(p.index == 73894 && p.path.n == 5 && p.path.hash[4][0] == 0x00 &&
	    p.path.hash[4][1] == 0x70);
	OK(tg_bytes_equal(tg_buf_view(&p.extra), tg_bytes_str("age-v1.2.1-darwin-arm64.tar.gz")));
	OK(tg_bytes_equal(p.checkpoint, tg_bytes_str(checkpoint)));
	OK_STATUS(
	    tg_tlogproof_put(tg_buf_view(&p.extra), p.index, &p.path, p.checkpoint, &b), TG_OK);
	OK(tg_bytes_equal(tg_buf_view(&b), tg_bytes_str(text)));
	tg_buf_done(&b);
	tg_tlogproof_done(&p);
	tg_tlogproof_done(&p);
}

static void
proofs_read_back(void)
{
	static const uint64_t indices[] = { 0, 1, 1000000000, UINT64_MAX };
	static const size_t extras[] = { 0, 1, 2, 3, 65535 };
	static uint8_t raw[65535];
	unsigned long wrong = 0, n = 0;

	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(i * 7);
	for (unsigned hashes = 0; hashes <= TG_MAX_PATH_HASHES; hashes += 8)
		for (size_t i = 0; i < TG_LEN(indices); i++)
			for (size_t k = 0; k < TG_LEN(extras); k++, n++) {
				struct tg_buf b = { .max = TG_MAX_TLOG_PROOF };
				struct tg_path path = { .n = hashes };
				struct tg_tlogproof p;

				memset(path.hash, (int)hashes, sizeof(path.hash));
				wrong += tg_tlogproof_put((tg_bytes){ raw, extras[k] }, indices[i],
					     &path, tg_bytes_str("note"), &b) != TG_OK;
				if (tg_tlogproof_parse(tg_buf_view(&b), "proof", &p, NULL) !=
				    TG_OK) {
					wrong++;
				} else {
					wrong += p.index != indices[i] || p.path.n != hashes ||
					    memcmp(p.path.hash, path.hash, 32 * (size_t)hashes) !=
						0 ||
					    !tg_bytes_equal(tg_buf_view(&p.extra),
						(tg_bytes){ raw, extras[k] }) ||
					    !tg_bytes_equal(p.checkpoint, tg_bytes_str("note"));
					tg_tlogproof_done(&p);
				}
				tg_buf_done(&b);
			}
	OK_NONE(wrong, n, "proofs");
}

static void
no_proofs(void)
{
	static const char *const bad[] = {
		"",
		"c2sp.org/tlog-proof@v1",
		HEAD,
		"c2sp.org/tlog-proof@v2\nindex 1\n\nnote",
		"\n" HEAD "index 1\n\nnote",
		HEAD "\nindex 1\n\nnote",
		HEAD "index 1\n",
		HEAD "index 1\n\n", /* no checkpoint */
		HEAD "index 1\n" HASH,
		HEAD "index 1\n" HASH "note",
		HEAD "index 01\n\nnote",
		HEAD "index -1\n\nnote",
		HEAD "index\n\nnote",
		HEAD "index \n\nnote",
		HEAD "index 1 \n\nnote",
		HEAD "index  1\n\nnote",
		HEAD "index 18446744073709551616\n\nnote",
		HEAD "Index 1\n\nnote",
		HEAD "extra\nindex 1\n\nnote",
		HEAD "extra \nindex 1\n\nnote",
		HEAD "extra A\nindex 1\n\nnote",
		HEAD "extra AA\nindex 1\n\nnote",
		HEAD "extra AB==\nindex 1\n\nnote",
		HEAD "extra AA==\n",
		HEAD "extra AA==\n\nnote",
		HEAD "extra AA==\nextra AA==\nindex 1\n\nnote",
		HEAD "index 1\nextra AA==\n\nnote",
		HEAD "index 1\nindex 1\n\nnote",
		HEAD "index 1\nAAAA\n\nnote",
		HEAD "index 1\r\n\r\nnote",
		HEAD "index 1\n " HASH "\nnote",
	};
	unsigned long wrong = 0;

	for (size_t i = 0; i < TG_LEN(bad); i++) {
		struct tg_tlogproof p = { .index = 99 };
		struct tg_error err = TG_ERROR_INIT;

		if (tg_tlogproof_parse(tg_bytes_str(bad[i]), "proof", &p, &err) != TG_E_FORMAT ||
		    p.index != 99 || err.text[0] == '\0')
			printf("# \"%s\": %s\n", bad[i], err.text), wrong++;
	}
	OK_NONE(wrong, TG_LEN(bad), "texts");
}

static void
limits(void)
{
	struct tg_buf b = { .max = 2 * TG_MAX_TLOG_PROOF };
	struct tg_tlogproof p;
	const struct tg_path none = { .n = 0 };
	uint8_t *fill = NULL;

	OK_STATUS(tg_buf_put_str(&b, HEAD "index 1\n"), TG_OK);
	for (int i = 0; i <= TG_MAX_PATH_HASHES; i++)
		OK_STATUS(tg_buf_put_str(&b, HASH), TG_OK);
	OK_STATUS(tg_buf_put_str(&b, "\nnote"), TG_OK);
	OK_STATUS(tg_tlogproof_parse(tg_buf_view(&b), "proof", &p, NULL), TG_E_LIMIT);
	b.n = 0;
	OK_STATUS(tg_buf_put_str(&b, HEAD "index 1\n\n"), TG_OK);
	OK_STATUS(tg_buf_grow(&b, TG_MAX_TLOG_PROOF - b.n, &fill), TG_OK);
	memset(fill, 'x', (size_t)(b.p + b.n - fill));
	OK_STATUS(tg_tlogproof_parse(tg_buf_view(&b), "proof", &p, NULL), TG_OK);
	tg_tlogproof_done(&p);
	OK_STATUS(tg_buf_put_u8(&b, 'x'), TG_OK);
	OK_STATUS(tg_tlogproof_parse(tg_buf_view(&b), "proof", &p, NULL), TG_E_LIMIT);
	struct tg_buf out = { .max = 2 * TG_MAX_TLOG_PROOF };
	OK_STATUS(
	    tg_tlogproof_put((tg_bytes){ NULL, 0 }, 1, &none, tg_buf_view(&b), &out), TG_E_LIMIT);
	OK(out.n == 0);
	tg_buf_done(&out);
	tg_buf_done(&b);
}

int
main(void)
{
	the_example_parses();
	proofs_read_back();
	no_proofs();
	limits();
	return tap_done();
}
