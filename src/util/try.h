/* util/try.h - the project's only macros that change control flow. */
#ifndef TG_UTIL_TRY_H
#define TG_UTIL_TRY_H

#include <tensorguard/error.h>

void tg_fail_at(struct tg_error *err, tg_status s, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Record why, and yield the status: `return tg_fail(err, TG_E_LIMIT, "...", n);`
 * TG_E_IO takes errno along. A comma expression, so that gcc sees the constant status. */
#define tg_fail(err, s, ...) (tg_fail_at((err), (s), __FILE__, __LINE__, __VA_ARGS__), (s))

/* Return the status of a failing call to our caller. */
#define TG_TRY(call)                                                                               \
	do {                                                                                       \
		tg_status tg_try_s_ = (call);                                                      \
		if (tg_try_s_ != TG_OK)                                                            \
			return tg_try_s_;                                                          \
	} while (0)

/* Return a failure with a reason unless `cond` holds. */
#define TG_REQUIRE(cond, err, s, ...)                                                              \
	do {                                                                                       \
		if (!(cond))                                                                       \
			return tg_fail(err, s, __VA_ARGS__);                                       \
	} while (0)

#define TG_AUTO(cleanup_fn) __attribute__((cleanup(cleanup_fn)))

#define TG_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
