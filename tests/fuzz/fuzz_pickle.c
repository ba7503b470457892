/* The first byte chooses the file's name; the rest is looked into for code and for its format. */
#include "../unit/tensor/make.h"
#include "tensor/format.h"
#include "tensor/opcode.h"
#include "tensor/pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
label_check(const char *label)
{
	if (label != NULL &&
	    (label[0] == '\0' || strlen(label) > 32 ||
		strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789._-") != strlen(label)))
		__builtin_trap();
}

static void
reason_check(const char reason[static TG_CODE_REASON_LEN])
{
	size_t n = strnlen(reason, TG_CODE_REASON_LEN);

	if (n == 0 || n == TG_CODE_REASON_LEN)
		__builtin_trap();
	for (size_t i = 0; i < n; i++)
		if (reason[i] < 0x20 || reason[i] > 0x7e)
			__builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const paths[] = { "weights.bin", "model.pkl", "config.json",
		"labels.txt", "saved_model.pb", "model.h5", "a/keras_metadata.pb", "" };
	char reason[TG_CODE_REASON_LEN];
	struct tg_opcodes w;
	bool found = false;

	if (n == 0)
		return 0;
	tg_bytes path = tg_bytes_str(paths[p[0] % 8]);
	SOURCE(src, p + 1, n - 1);
	label_check(tg_format_sniff(&src, path));
	if (tg_opcodes_walk(&src, &w, NULL) != TG_OK || w.end > n - 1)
		__builtin_trap();
	memset(reason, 0xff, sizeof(reason));
	if (tg_code_find(&src, path, reason, &found, NULL) == TG_OK) {
		if (found)
			reason_check(reason);
		if (!found && tg_opcodes_are_pickle(&w))
			__builtin_trap();
		if (!found && tg_path_ends(path, ".pkl") && tg_format_sniff(&src, path) == NULL)
			__builtin_trap();
	}
	return 0;
}
