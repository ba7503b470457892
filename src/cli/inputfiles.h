/* cli/inputfiles.h - the files of a folder that is to be packaged. */
#ifndef TG_CLI_INPUTFILES_H
#define TG_CLI_INPUTFILES_H

#include <tensorguard/build.h>

#include "util/dir.h"

struct inputfile;

/* Start from zeros; release with inputfiles_done(). */
struct inputfiles {
	struct tg_dir *dir;
	struct inputfile *at;
	size_t n, cap;
	struct tg_build_input *rows; /* for tg_build(): n of them, which borrow from the rest */
};
/* Every file beneath the folder `path`; a folder with the package `out` in it is refused. */
TG_MUST_CHECK tg_status inputfiles_list(const char *path, const char *out, struct inputfiles *in,
    struct tg_error *err);
void inputfiles_done(struct inputfiles *in);

#endif
