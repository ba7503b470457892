/* A fuzz target over the files given as arguments, as a TAP program: one check a file. A target
 * that finds something wrong traps, so that what fails is the file named last. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* The whole file in a block of exactly its size, so that a sanitizer sees every overrun. */
static uint8_t *
read_whole(const char *path, size_t *ret_n)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = NULL;
	long n = -1;

	if (f != NULL && fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) >= 0 &&
	    fseek(f, 0, SEEK_SET) == 0)
		p = malloc(n == 0 ? 1 : (size_t)n);
	if (p != NULL && fread(p, 1, (size_t)n, f) != (size_t)n) {
		free(p);
		p = NULL;
	}
	if (f != NULL)
		fclose(f);
	*ret_n = (size_t)n;
	return p;
}

int
main(int argc, char **argv)
{
	int bad = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2) {
		printf("1..0 # SKIP no corpus\n");
		return 0;
	}
	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		size_t n = 0;
		uint8_t *p = read_whole(argv[i], &n);

		printf("# %s\n", argv[i]);
		if (p == NULL) {
			printf("not ok %d - %s: %s\n", i, argv[i], strerror(errno));
			bad = 1;
			continue;
		}
		(void)LLVMFuzzerTestOneInput(p, n);
		printf("ok %d - %s\n", i, argv[i]);
		free(p);
	}
	return bad;
}
