/* tests/tap.h - the whole test framework: one program per module, TAP on stdout. */
#ifndef TG_TESTS_TAP_H
#define TG_TESTS_TAP_H

#include <stdio.h>
#include <string.h>
#include <tensorguard/error.h>

static int tap_n, tap_bad;

#define OK(cond)                                                                                   \
	do {                                                                                       \
		int tap_c_ = !!(cond);                                                             \
		tap_n++;                                                                           \
		tap_bad += !tap_c_;                                                                \
		printf("%s %d - %s:%d %s\n", tap_c_ ? "ok" : "not ok", tap_n, __FILE__, __LINE__,  \
		    #cond);                                                                        \
	} while (0)

#define OK_STATUS(call, want)                                                                      \
	do {                                                                                       \
		tg_status tap_s_ = (call);                                                         \
		tap_n++;                                                                           \
		tap_bad += tap_s_ != (want);                                                       \
		printf("%s %d - %s:%d %s\n", tap_s_ == (want) ? "ok" : "not ok", tap_n, __FILE__,  \
		    __LINE__, #call);                                                              \
		if (tap_s_ != (want))                                                              \
			printf("# got %s, want %s\n", tg_status_name(tap_s_),                      \
			    tg_status_name(want));                                                 \
	} while (0)

/* One closing check for a loop with too many turns to print: `failures` must be 0. */
#define OK_NONE(failures, of, what)                                                                \
	do {                                                                                       \
		unsigned long tap_f_ = (unsigned long)(failures), tap_o_ = (unsigned long)(of);    \
		tap_n++;                                                                           \
		tap_bad += tap_f_ != 0 || tap_o_ == 0;                                             \
		printf("%s %d - %s:%d %s: %lu of %lu wrong\n",                                     \
		    tap_f_ == 0 && tap_o_ != 0 ? "ok" : "not ok", tap_n, __FILE__, __LINE__, what, \
		    tap_f_, tap_o_);                                                               \
	} while (0)

#define SKIP(reason)                                                                               \
	do {                                                                                       \
		tap_n++;                                                                           \
		printf("ok %d # SKIP %s\n", tap_n, reason);                                        \
	} while (0)

static inline int
tap_done(void)
{
	printf("1..%d\n", tap_n);
	return tap_bad != 0;
}

#endif
