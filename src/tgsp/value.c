#include "tgsp/value.h"

#include <tensorguard/limits.h>

#include "util/text.h"
#include "util/try.h"

tg_status
tgsp_get_hex(const struct tg_json *j, const char *what, uint8_t *out, size_t n,
    struct tg_error *err)
{
	TG_REQUIRE(tg_hex_decode(out, n, tg_json_str(j)), err, TG_E_FORMAT,
	    "%s: %zu lower-case hex digits expected", what, 2 * n);
	return TG_OK;
}

tg_status
tgsp_get_base64(const struct tg_json *j, const char *what, uint8_t *out, size_t n,
    struct tg_error *err)
{
	TG_REQUIRE(tg_base64_decode(out, n, tg_json_str(j)), err, TG_E_FORMAT,
	    "%s: unpadded base64 of %zu bytes expected", what, n);
	return TG_OK;
}

tg_status
tgsp_get_uint(const struct tg_json *j, const char *what, uint64_t max, uint64_t *ret,
    struct tg_error *err)
{
	const int64_t v = tg_json_int(j);

	TG_REQUIRE(v >= 0, err, TG_E_FORMAT, "%s: %lld, 0 or more expected", what, (long long)v);
	TG_REQUIRE((uint64_t)v <= max, err, TG_E_LIMIT, "%s: %lld, at most %llu allowed", what,
	    (long long)v, (unsigned long long)max);
	*ret = (uint64_t)v;
	return TG_OK;
}

tg_status
tgsp_name_check(tg_bytes name, const char *what, struct tg_error *err)
{
	TG_REQUIRE(name.n >= 1 && name.n <= TG_MAX_NAME_LEN, err, TG_E_FORMAT,
	    "%s: %zu bytes, 1 ... %u expected", what, name.n, TG_MAX_NAME_LEN);
	TG_REQUIRE(tg_utf8_valid(name), err, TG_E_FORMAT, "%s: not UTF-8", what);
	for (size_t i = 0; i < name.n; i++) {
		/* C0, DEL, and C1 (U+0080 ... U+009F, in UTF-8 c2 80 ... c2 9f) */
		const bool c1 = name.p[i] == 0xc2 && i + 1 < name.n && name.p[i + 1] < 0xa0;

		TG_REQUIRE(name.p[i] >= 0x20 && name.p[i] != 0x7f && !c1, err, TG_E_FORMAT,
		    "%s: control character in it", what);
	}
	return TG_OK;
}

tg_status
tgsp_get_name(const struct tg_json *j, const char *what, const char **ret, struct tg_error *err)
{
	const tg_bytes s = tg_json_str(j);

	TG_TRY(tgsp_name_check(s, what, err));
	*ret = (const char *)s.p;
	return TG_OK;
}

tg_status
tgsp_get_exact(const struct tg_json *j, const char *what, const char *want, struct tg_error *err)
{
	const tg_bytes s = tg_json_str(j);

	TG_REQUIRE(tg_bytes_equal(s, tg_bytes_str(want)), err, TG_E_UNSUPPORTED,
	    "%s is \"%.*s\", \"%s\" expected", what, s.n > 64 ? 64 : (int)s.n,
	    s.p == NULL ? "" : (const char *)s.p, want);
	return TG_OK;
}
