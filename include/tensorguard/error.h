/* tensorguard/error.h - status codes and error context. */
#ifndef TENSORGUARD_ERROR_H
#define TENSORGUARD_ERROR_H

#include <tensorguard/export.h>

TG_BEGIN_DECLS

/* Every fallible function returns one of these. The numbers are ABI: append only. */
typedef enum tg_status {
	TG_OK = 0,
	TG_E_USAGE = 1, /* the caller broke the contract of the call */
	TG_E_NOMEM = 2,
	TG_E_IO = 3,     /* errno is kept in tg_error.sys_errno */
	TG_E_FORMAT = 4, /* malformed or truncated input */
	TG_E_LIMIT = 5,  /* well-formed, but above a limit of limits.h */
	TG_E_AUTH = 6,   /* a signature, tag, hash or key did not match */
	TG_E_POLICY = 7, /* authentic, but not allowed here and now */
	TG_E_NOTFOUND = 8,
	TG_E_CONFLICT = 9, /* it exists already, or somebody else was first */
	TG_E_BUSY = 10,
	TG_E_UNSUPPORTED = 11, /* not in this build, or not on this machine */
	TG_E_INTERNAL = 12,    /* a bug in this library */
	TG_STATUS_COUNT
} tg_status;

#define TG_ERROR_TEXT_MAX 512

/* Where and why it failed. Lives on the caller's stack; never allocates. */
struct tg_error {
	tg_status status;
	int sys_errno;    /* 0 unless a system call failed */
	const char *file; /* source position, static storage */
	int line;
	char text[TG_ERROR_TEXT_MAX]; /* one line, NUL-terminated; may quote the input, control characters as '?' */
};

#define TG_ERROR_INIT { TG_OK, 0, (const char *)0, 0, "" }

/* Stable short name, e.g. "format". Never NULL. */
TG_API const char *tg_status_name(tg_status s);
/* Process exit code for a status: the table of docs/ERRORS.md. */
TG_API int tg_status_exit_code(tg_status s);
/* HTTP status for a status: the same table. */
TG_API int tg_status_http(tg_status s);

TG_END_DECLS
#endif
