/* Key sets, types, lengths and values of every field of the four JSON sections (section 2 of the
 * protocol), in packages that are whole and well signed otherwise. */
#include "forge.h"

/* ---- every field: absent, of another type, of a type the profile does not have ---- */

enum kind { OBJECT, ARRAY, STRING, INT };

struct field {
	enum section in;
	const char *path;
	enum kind kind;
	bool optional;
};

static const struct field fields[] = {
	{ HEADER, "crypto", OBJECT, false },
	{ HEADER, "crypto.alg", STRING, false },
	{ HEADER, "crypto.commit", STRING, false },
	{ HEADER, "crypto.hash", STRING, false },
	{ HEADER, "crypto.kem", STRING, false },
	{ HEADER, "crypto.salt", STRING, false },
	{ HEADER, "crypto.sig", STRING, false },
	{ HEADER, "hashes", OBJECT, false },
	{ HEADER, "hashes.manifest", STRING, false },
	{ HEADER, "hashes.payload", STRING, false },
	{ HEADER, "payload", OBJECT, false },
	{ HEADER, "payload.chunk_log2", INT, false },
	{ HEADER, "payload.chunks", INT, false },
	{ HEADER, "payload.plain_len", INT, false },
	{ HEADER, "tgsp_version", STRING, false },
	{ MANIFEST, "author_key_id", STRING, false },
	{ MANIFEST, "base_model_sha256", STRING, true },
	{ MANIFEST, "content_index", ARRAY, false },
	{ MANIFEST, "content_index.0.format", STRING, true },
	{ MANIFEST, "content_index.0.offset", INT, false },
	{ MANIFEST, "content_index.0.path", STRING, false },
	{ MANIFEST, "content_index.0.sha256", STRING, false },
	{ MANIFEST, "content_index.0.size", INT, false },
	{ MANIFEST, "content_index.2.offset", INT, false },
	{ MANIFEST, "created_at", INT, false },
	{ MANIFEST, "custom", OBJECT, true },
	{ MANIFEST, "delegates", ARRAY, true },
	{ MANIFEST, "kind", STRING, true },
	{ MANIFEST, "min_agent_version", STRING, true },
	{ MANIFEST, "model_card", OBJECT, true },
	{ MANIFEST, "model_name", STRING, false },
	{ MANIFEST, "model_version", STRING, false },
	{ MANIFEST, "not_after", INT, true },
	{ MANIFEST, "not_before", INT, true },
	{ MANIFEST, "package_id", STRING, false },
	{ MANIFEST, "policy", OBJECT, true },
	{ MANIFEST, "preprocessing", OBJECT, true },
	{ MANIFEST, "prev_package", STRING, true },
	{ MANIFEST, "provenance", OBJECT, true },
	{ MANIFEST, "rollback_index", INT, false },
	{ MANIFEST, "target_fleets", ARRAY, true },
	{ MANIFEST, "tensors", ARRAY, true },
	{ MANIFEST, "tensors.0.dtype", STRING, false },
	{ MANIFEST, "tensors.0.name", STRING, false },
	{ MANIFEST, "tensors.0.offset", INT, false },
	{ MANIFEST, "tensors.0.path", STRING, false },
	{ MANIFEST, "tensors.0.shape", ARRAY, false },
	{ MANIFEST, "tensors.1.size", INT, false },
	{ MANIFEST, "tgsp_version", STRING, false },
	{ RECIPIENTS, "0.encap", OBJECT, false },
	{ RECIPIENTS, "0.encap.ct_pqc", STRING, false },
	{ RECIPIENTS, "1.encap.ek_classic", STRING, false },
	{ RECIPIENTS, "0.recipient_id", STRING, false },
	{ RECIPIENTS, "1.wrapper", STRING, false },
	{ SIGNATURE, "key_id", STRING, false },
	{ SIGNATURE, "recipients", OBJECT, false },
	{ SIGNATURE, "recipients.key_id", STRING, false },
	{ SIGNATURE, "recipients.sig_classic", STRING, false },
	{ SIGNATURE, "recipients.sig_pqc", STRING, false },
	{ SIGNATURE, "signature", OBJECT, false },
	{ SIGNATURE, "signature.sig_classic", STRING, false },
	{ SIGNATURE, "signature.sig_pqc", STRING, false },
};

static const struct {
	enum kind kind;
	const char *text;
} others[] = { { OBJECT, "{}" }, { ARRAY, "[]" }, { STRING, "\"x\"" }, { INT, "7" } };

static const char *
last_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot == NULL ? path : dot + 1;
}

static void
absent(const struct field *t)
{
	struct forge *f = forge_ready_for(t->in);
	char name[128], why[64];

	(void)snprintf(name, sizeof(name), "%s without %s", section_name[t->in], t->path);
	(void)snprintf(why, sizeof(why), "no \"%s\"", last_of(t->path));
	json_drop(&f->text[t->in], t->path);
	if (t->optional)
		accepted(f, name);
	else
		refused(f, STEP_OPEN, TG_E_FORMAT, why, name);
}

static void
is_now(const struct field *t, const char *text, const char *why)
{
	struct forge *f = forge_ready_for(t->in);
	char name[128];

	(void)snprintf(name, sizeof(name), "%s %s is %s", section_name[t->in], t->path, text);
	json_set(&f->text[t->in], t->path, text);
	refused(f, STEP_OPEN, TG_E_FORMAT, why, name);
}

static void
every_field(void)
{
	for (size_t i = 0; i < TG_LEN(fields); i++) {
		const struct field *t = &fields[i];
		char why[64];

		(void)snprintf(why, sizeof(why), "\"%s\" is ", last_of(t->path));
		absent(t);
		for (size_t k = 0; k < TG_LEN(others); k++)
			if (others[k].kind != t->kind)
				is_now(t, others[k].text, why);
		is_now(t, "true", why);
		is_now(t, "null", "null, which never occurs");
	}
}

/* ---- elements of arrays, and the sections themselves ---- */

struct edit {
	const char *name;
	enum section in;
	const char *path, *value; /* value NULL: the member or element goes */
	tg_status want;
	const char *why;
};

static void
edits(const struct edit *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct edit *e = &list[i];
		struct forge *f = forge_ready_for(e->in);
		char name[200];

		(void)snprintf(name, sizeof(name), "%s: %s", section_name[e->in], e->name);
		if (e->value == NULL)
			json_drop(&f->text[e->in], e->path);
		else
			json_set(&f->text[e->in], e->path, e->value);
		if (e->want == TG_OK)
			accepted(f, name);
		else
			refused(f, STEP_OPEN, e->want, e->why, name);
	}
}

#define ID0  "00000000000000000000000000000000"
#define ID1  "00000000000000000000000000000001"
#define H64  "00000000000000000000000000000000" ID0
#define N50  "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define N255 N50 N50 N50 N50 N50 "nnnnn"

static const struct edit shapes[] = {
	{ "is an array", HEADER, "", "[]", TG_E_FORMAT, "object is expected" },
	{ "is a string", HEADER, "", "\"\"", TG_E_FORMAT, "object is expected" },
	{ "is a number", MANIFEST, "", "1", TG_E_FORMAT, "object is expected" },
	{ "is an array", MANIFEST, "", "[{}]", TG_E_FORMAT, "object is expected" },
	{ "is an object", RECIPIENTS, "", "{}", TG_E_FORMAT, "an array expected" },
	{ "is a word", RECIPIENTS, "", "true", TG_E_FORMAT, "an array expected" },
	{ "is empty", RECIPIENTS, "", "[]", TG_E_FORMAT, "none, 1 ... 1000 expected" },
	{ "is an array", SIGNATURE, "", "[]", TG_E_FORMAT, "object is expected" },
	{ "is empty", SIGNATURE, "", "{}", TG_E_FORMAT, "no \"key_id\"" },
	{ "block is a string", RECIPIENTS, "1", "\"x\"", TG_E_FORMAT, "object is expected" },
	{ "block is empty", RECIPIENTS, "0", "{}", TG_E_FORMAT, "no \"encap\"" },
	{ "file is a number", MANIFEST, "content_index.1", "3", TG_E_FORMAT, "object is expected" },
	{ "file is an array", MANIFEST, "content_index.1", "[]", TG_E_FORMAT,
	    "object is expected" },
	{ "tensor is a string", MANIFEST, "tensors.0", "\"x\"", TG_E_FORMAT, "object is expected" },
	{ "dimension is a string", MANIFEST, "tensors.0.shape.0", "\"5\"", TG_E_FORMAT, "shape" },
	{ "dimension is an array", MANIFEST, "tensors.0.shape.0", "[5]", TG_E_FORMAT, "shape" },
	{ "dimension is a word", MANIFEST, "tensors.0.shape.1", "true", TG_E_FORMAT, "shape" },
	{ "dimension is negative", MANIFEST, "tensors.0.shape", "[-5,-5]", TG_E_FORMAT, "shape" },
	{ "delegate is a number", MANIFEST, "delegates.0", "1", TG_E_FORMAT, "delegates" },
	{ "delegate is an object", MANIFEST, "delegates.0", "{}", TG_E_FORMAT, "delegates" },
	{ "fleet is a number", MANIFEST, "target_fleets.0", "1", TG_E_FORMAT, "target_fleets" },
	{ "fleet is an array", MANIFEST, "target_fleets.1", "[]", TG_E_FORMAT, "target_fleets" },
};

/* ---- unknown keys ---- */

static void
unknown_keys(void)
{
	static const struct {
		enum section in;
		const char *path;
	} objects[] = {
		{ HEADER, "" },
		{ HEADER, "crypto" },
		{ HEADER, "hashes" },
		{ HEADER, "payload" },
		{ MANIFEST, "" },
		{ MANIFEST, "content_index.0" },
		{ MANIFEST, "content_index.1" },
		{ MANIFEST, "tensors.1" },
		{ RECIPIENTS, "0" },
		{ RECIPIENTS, "1" },
		{ RECIPIENTS, "0.encap" },
		{ SIGNATURE, "" },
		{ SIGNATURE, "recipients" },
		{ SIGNATURE, "signature" },
	};

	for (size_t i = 0; i < TG_LEN(objects); i++) {
		struct forge *f = forge_ready_for(objects[i].in);
		char name[128];

		(void)snprintf(name, sizeof(name), "%s: unknown key in \"%s\"",
		    section_name[objects[i].in], objects[i].path);
		json_add(&f->text[objects[i].in], objects[i].path, "\"zz\":1");
		refused(f, STEP_OPEN, TG_E_FORMAT, "unknown key \"zz\"", name);
	}
	/* what one object may have, another may not */
	struct forge *f = forge_ready_for(SIGNATURE);
	edit(&f->text[SIGNATURE], "\"signature\":{", "\"signature\":{\"key_id\":\"" ID0 "\",");
	refused(f, STEP_OPEN, TG_E_FORMAT, "unknown key \"key_id\"",
	    "signature: key_id in the content's pair");
	/* the original's field: a key inside the package, which nobody may trust */
	f = forge_new();
	edit(&f->text[MANIFEST], "\"author_key_id\"", "\"author_id\":\"x\",\"author_key_id\"");
	refused(f, STEP_OPEN, TG_E_FORMAT, "unknown key \"author_id\"", "manifest: author_id");
}

/* ---- hex and base64 ---- */

static const struct {
	enum section in;
	const char *path;
	bool hex;
} binaries[] = {
	{ HEADER, "crypto.commit", false },
	{ HEADER, "crypto.salt", false },
	{ HEADER, "hashes.manifest", true },
	{ HEADER, "hashes.payload", true },
	{ MANIFEST, "author_key_id", true },
	{ MANIFEST, "base_model_sha256", true },
	{ MANIFEST, "content_index.0.sha256", true },
	{ MANIFEST, "content_index.2.sha256", true },
	{ MANIFEST, "delegates.0", true },
	{ MANIFEST, "package_id", true },
	{ MANIFEST, "prev_package", true },
	{ RECIPIENTS, "0.encap.ct_pqc", false },
	{ RECIPIENTS, "1.encap.ek_classic", false },
	{ RECIPIENTS, "0.recipient_id", true },
	{ RECIPIENTS, "1.wrapper", false },
	{ SIGNATURE, "key_id", true },
	{ SIGNATURE, "recipients.key_id", true },
	{ SIGNATURE, "recipients.sig_classic", false },
	{ SIGNATURE, "recipients.sig_pqc", false },
	{ SIGNATURE, "signature.sig_classic", false },
	{ SIGNATURE, "signature.sig_pqc", false },
};

/* What is between the quotes, altered in one way; false when the way does not apply. */
enum spoil {
	ONE_SHORT,
	TWO_SHORT,
	FOUR_SHORT,
	ONE_LONG,
	TWO_LONG,
	FOUR_LONG,
	EMPTY,
	UPPER,
	PADDED,
	STAR,
	URL_SAFE,
	BLANK,
	TRAILING_BITS,
	SPOILS
};
static const char *const spoil_name[SPOILS] = { "a digit short", "two digits short",
	"four digits short", "a digit long", "two digits long", "four digits long", "empty",
	"upper case", "padded", "a '*' in it", "of the URL alphabet", "a blank in it",
	"trailing bits" };

static bool
spoil_text(char *s, size_t *n, enum spoil how, bool hex)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const size_t was = *n;

	switch (how) {
	case ONE_SHORT:
	case TWO_SHORT:
		*n -= how == ONE_SHORT ? 1 : 2;
		return true;
	case FOUR_SHORT:
		*n -= 4;
		return true;
	case ONE_LONG:
	case TWO_LONG:
	case FOUR_LONG:
		*n += how == ONE_LONG ? 1 : how == TWO_LONG ? 2 : 4;
		memset(s + was, hex ? '0' : 'A', *n - was);
		return true;
	case EMPTY:
		*n = 0;
		return true;
	case UPPER:
		for (size_t i = 0; hex && i < was; i++)
			if (s[i] >= 'a') {
				s[i] = (char)(s[i] - 'a' + 'A');
				return true;
			}
		return false;
	case PADDED:
		s[was] = '=';
		s[was + 1] = '=';
		*n += was % 4 == 2 ? 2 : 1;
		return !hex;
	case STAR:
		s[was / 2] = '*';
		return true;
	case URL_SAFE:
		s[was / 3] = '-';
		return true;
	case BLANK:
		s[0] = ' ';
		return true;
	case TRAILING_BITS:
		s[was - 1] = alphabet[(strchr(alphabet, s[was - 1]) - alphabet) ^ 1];
		return !hex && was % 4 != 0;
	case SPOILS:
		break;
	}
	abort();
}

static void
spoiled(size_t i, enum spoil how)
{
	struct forge *f = forge_ready_for(binaries[i].in);
	struct tg_buf *b = &f->text[binaries[i].in];
	struct json_span m;
	const struct json_span v = json_find(tg_buf_view(b), binaries[i].path, &m);
	char text[8192], name[128];
	size_t n = v.n - 2;

	memcpy(text, b->p + v.at + 1, n);
	if (!spoil_text(text, &n, how, binaries[i].hex)) {
		forge_free(f);
		return;
	}
	patch(b, v.at + 1, v.n - 2, (tg_bytes){ (const uint8_t *)text, n });
	(void)snprintf(name, sizeof(name), "%s %s: %s", section_name[binaries[i].in],
	    binaries[i].path, spoil_name[how]);
	refused(
	    f, STEP_OPEN, TG_E_FORMAT, binaries[i].hex ? "hex digits expected" : "base64", name);
}

static void
every_binary_value(void)
{
	for (size_t i = 0; i < TG_LEN(binaries); i++)
		for (int how = 0; how < SPOILS; how++)
			spoiled(i, (enum spoil)how);
}

/* ---- algorithms and versions ---- */

static const struct edit fixed_values[] = {
	{ "cipher", HEADER, "crypto.alg", "\"AES-256-GCM\"", TG_E_UNSUPPORTED, "\"AES-256-GCM\"" },
	{ "cipher of the other letters", HEADER, "crypto.alg", "\"chacha20_poly1305\"",
	    TG_E_UNSUPPORTED, "\"chacha20_poly1305\"" },
	{ "cipher prefix", HEADER, "crypto.alg", "\"CHACHA20_POLY130\"", TG_E_UNSUPPORTED, "alg" },
	{ "no cipher", HEADER, "crypto.alg", "\"\"", TG_E_UNSUPPORTED, "alg" },
	{ "hash", HEADER, "crypto.hash", "\"SHA1\"", TG_E_UNSUPPORTED, "\"SHA1\"" },
	{ "classical KEM alone", HEADER, "crypto.kem", "\"X25519\"", TG_E_UNSUPPORTED,
	    "\"X25519\"" },
	{ "the original's KEM", HEADER, "crypto.kem", "\"Hybrid-Kyber-v1\"", TG_E_UNSUPPORTED,
	    "\"Hybrid-Kyber-v1\"" },
	{ "classical signature alone", HEADER, "crypto.sig", "\"Ed25519\"", TG_E_UNSUPPORTED,
	    "\"Ed25519\"" },
	{ "the original's signature", HEADER, "crypto.sig", "\"Hybrid-Dilithium-v1\"",
	    TG_E_UNSUPPORTED, "\"Hybrid-Dilithium-v1\"" },
	{ "version 1.1", HEADER, "tgsp_version", "\"1.1\"", TG_E_UNSUPPORTED, "\"1.1\"" },
	{ "version 2.0", HEADER, "tgsp_version", "\"2.0\"", TG_E_UNSUPPORTED, "\"2.0\"" },
	{ "version 1", HEADER, "tgsp_version", "\"1\"", TG_E_UNSUPPORTED, "\"1\"" },
	{ "version 0.9", MANIFEST, "tgsp_version", "\"0.9\"", TG_E_UNSUPPORTED, "\"0.9\"" },
	{ "version 1.00", MANIFEST, "tgsp_version", "\"1.00\"", TG_E_UNSUPPORTED, "\"1.00\"" },
};

/* ---- values of the manifest ---- */

static const struct edit manifest_values[] = {
	{ "model_name empty", MANIFEST, "model_name", "\"\"", TG_E_FORMAT, "0 bytes" },
	{ "model_name of 255 bytes", MANIFEST, "model_name", "\"" N255 "\"", TG_OK, "" },
	{ "model_name of 256 bytes", MANIFEST, "model_name", "\"" N255 "n\"", TG_E_FORMAT,
	    "256 bytes" },
	{ "model_name with a newline", MANIFEST, "model_name", "\"a\\nb\"", TG_E_FORMAT,
	    "control" },
	{ "model_name with ESC", MANIFEST, "model_name", "\"a\\u001bb\"", TG_E_FORMAT, "control" },
	{ "model_name with DEL", MANIFEST, "model_name", "\"a\x7f\"", TG_E_FORMAT, "control" },
	{ "model_name with C1", MANIFEST, "model_name", "\"\xc2\x9b\"", TG_E_FORMAT, "control" },
	{ "model_name with U+00A0", MANIFEST, "model_name", "\"\xc2\xa0\"", TG_OK, "" },
	{ "model_version empty", MANIFEST, "model_version", "\"\"", TG_E_FORMAT, "0 bytes" },
	{ "model_version of 256 bytes", MANIFEST, "model_version", "\"" N255 "n\"", TG_E_FORMAT,
	    "256 bytes" },
	{ "model_version with a tab", MANIFEST, "model_version", "\"\\t\"", TG_E_FORMAT,
	    "control" },
	{ "created_at negative", MANIFEST, "created_at", "-1", TG_E_FORMAT, "0 or more" },
	{ "created_at 0", MANIFEST, "created_at", "0", TG_OK, "" },
	{ "created_at 2^53-1", MANIFEST, "created_at", "9007199254740991", TG_OK, "" },
	{ "rollback_index negative", MANIFEST, "rollback_index", "-1", TG_E_FORMAT, "0 or more" },
	{ "rollback_index 2^53-1", MANIFEST, "rollback_index", "9007199254740991", TG_OK, "" },
	{ "not_before negative", MANIFEST, "not_before", "-1", TG_E_FORMAT, "0 or more" },
	{ "not_after negative", MANIFEST, "not_after", "-1", TG_E_FORMAT, "0 or more" },
	{ "kind of another case", MANIFEST, "kind", "\"Model\"", TG_E_FORMAT, "\"Model\"" },
	{ "kind empty", MANIFEST, "kind", "\"\"", TG_E_FORMAT, "kind" },
	{ "kind unknown", MANIFEST, "kind", "\"delta\"", TG_E_FORMAT, "\"delta\"" },
	{ "kind adapter", MANIFEST, "kind", "\"adapter\"", TG_OK, "" },
	{ "kind update", MANIFEST, "kind", "\"update\"", TG_OK, "" },
	{ "agent version of one number", MANIFEST, "min_agent_version", "\"1\"", TG_E_FORMAT,
	    "MAJOR" },
	{ "agent version of two", MANIFEST, "min_agent_version", "\"1.0\"", TG_E_FORMAT, "MAJOR" },
	{ "agent version of four", MANIFEST, "min_agent_version", "\"1.0.0.0\"", TG_E_FORMAT,
	    "MAJOR" },
	{ "agent version empty", MANIFEST, "min_agent_version", "\"\"", TG_E_FORMAT, "MAJOR" },
	{ "agent version with a leading zero", MANIFEST, "min_agent_version", "\"01.0.0\"",
	    TG_E_FORMAT, "MAJOR" },
	{ "agent version of two zeros", MANIFEST, "min_agent_version", "\"0.00.0\"", TG_E_FORMAT,
	    "MAJOR" },
	{ "agent version with a sign", MANIFEST, "min_agent_version", "\"1.-1.0\"", TG_E_FORMAT,
	    "MAJOR" },
	{ "agent version with a blank", MANIFEST, "min_agent_version", "\" 1.0.0\"", TG_E_FORMAT,
	    "MAJOR" },
	{ "agent version with a suffix", MANIFEST, "min_agent_version", "\"1.0.0-rc1\"",
	    TG_E_FORMAT, "MAJOR" },
	{ "agent version with a hole", MANIFEST, "min_agent_version", "\"1..0\"", TG_E_FORMAT,
	    "MAJOR" },
	{ "agent version of 65536", MANIFEST, "min_agent_version", "\"1.0.65536\"", TG_E_FORMAT,
	    "MAJOR" },
	{ "agent version of 10^12", MANIFEST, "min_agent_version", "\"1000000000000.0.0\"",
	    TG_E_FORMAT, "MAJOR" },
	{ "agent version 0.65535.0", MANIFEST, "min_agent_version", "\"0.65535.0\"", TG_OK, "" },
	{ "format empty", MANIFEST, "content_index.0.format", "\"\"", TG_E_FORMAT, "format" },
	{ "format in upper case", MANIFEST, "content_index.0.format", "\"ONNX\"", TG_E_FORMAT,
	    "format" },
	{ "format with a slash", MANIFEST, "content_index.0.format", "\"a/b\"", TG_E_FORMAT,
	    "format" },
	{ "format of 32", MANIFEST, "content_index.0.format",
	    "\"abcdefghijklmnopqrstuvwxyz012._-\"", TG_OK, "" },
	{ "format of 33", MANIFEST, "content_index.0.format",
	    "\"abcdefghijklmnopqrstuvwxyz0123._-\"", TG_E_FORMAT, "format" },
	{ "delegates empty", MANIFEST, "delegates", "[]", TG_OK, "" },
	{ "delegates sorted", MANIFEST, "delegates", "[\"" ID0 "\",\"" ID1 "\"]", TG_OK, "" },
	{ "delegates out of order", MANIFEST, "delegates", "[\"" ID1 "\",\"" ID0 "\"]", TG_E_FORMAT,
	    "twice or out of order" },
	{ "delegate twice", MANIFEST, "delegates", "[\"" ID1 "\",\"" ID1 "\"]", TG_E_FORMAT,
	    "twice or out of order" },
	{ "fleets empty", MANIFEST, "target_fleets", "[]", TG_E_FORMAT, "target_fleets" },
	{ "fleet twice", MANIFEST, "target_fleets", "[\"edge\",\"edge\"]", TG_E_FORMAT,
	    "twice or out of order" },
	{ "fleets out of order", MANIFEST, "target_fleets", "[\"lab\",\"edge\"]", TG_E_FORMAT,
	    "twice or out of order" },
	{ "fleet without a name", MANIFEST, "target_fleets", "[\"\",\"edge\"]", TG_E_FORMAT,
	    "0 bytes" },
	{ "fleet of 256 bytes", MANIFEST, "target_fleets", "[\"edge\",\"" N255 "n\"]", TG_E_FORMAT,
	    "256 bytes" },
	{ "fleet with a control character", MANIFEST, "target_fleets", "[\"a\\u0001\",\"edge\"]",
	    TG_E_FORMAT, "control" },
};

static const struct edit tensor_values[] = {
	{ "tensors empty", MANIFEST, "tensors", "[]", TG_OK, "" },
	{ "tensor name empty", MANIFEST, "tensors.0.name", "\"\"", TG_E_FORMAT, "0 bytes" },
	{ "tensor name of 256 bytes", MANIFEST, "tensors.0.name", "\"" N255 "n\"", TG_E_FORMAT,
	    "256 bytes" },
	{ "tensor name of 255 bytes", MANIFEST, "tensors.0.name", "\"" N255 "\"", TG_OK, "" },
	{ "tensor name with a control character", MANIFEST, "tensors.0.name", "\"\\u0007\"",
	    TG_E_FORMAT, "control" },
	{ "tensors out of order", MANIFEST, "tensors.0.name", "\"zz\"", TG_E_FORMAT,
	    "twice or out of order" },
	{ "tensor twice", MANIFEST, "tensors.0.name", "\"weight\"", TG_E_FORMAT,
	    "twice or out of order" },
	{ "tensor of an unknown file", MANIFEST, "tensors.0.path", "\"z.bi\"", TG_E_FORMAT,
	    "no file" },
	{ "tensor of a folder", MANIFEST, "tensors.0.path", "\"model\"", TG_E_FORMAT, "no file" },
	{ "tensor of no file", MANIFEST, "tensors.0.path", "\"\"", TG_E_FORMAT, "no file" },
	{ "tensor a byte behind its place", MANIFEST, "tensors.0.offset", "1", TG_E_FORMAT,
	    "leave the file" },
	{ "tensor far behind its file", MANIFEST, "tensors.0.offset", "1099511627776", TG_E_FORMAT,
	    "leave the file" },
	{ "tensor at 2^53-1", MANIFEST, "tensors.0.offset", "9007199254740991", TG_E_LIMIT,
	    "at most" },
	{ "tensor offset negative", MANIFEST, "tensors.0.offset", "-1", TG_E_FORMAT, "0 or more" },
	{ "tensor size negative", MANIFEST, "tensors.0.size", "-100", TG_E_FORMAT, "0 or more" },
	{ "tensor size a byte too small", MANIFEST, "tensors.0.size", "99", TG_E_FORMAT,
	    "shape and dtype make 100" },
	{ "tensor size a byte too large", MANIFEST, "tensors.0.size", "101", TG_E_FORMAT,
	    "leave the file" },
	{ "tensor shape of 9 dimensions", MANIFEST, "tensors.0.shape", "[1,1,1,1,1,1,1,5,5]",
	    TG_E_FORMAT, "9 dimensions" },
	{ "tensor shape of 8 dimensions", MANIFEST, "tensors.0.shape", "[1,1,1,1,1,1,5,5]", TG_OK,
	    "" },
	{ "tensor shape of another product", MANIFEST, "tensors.0.shape", "[5,6]", TG_E_FORMAT,
	    "make 120" },
	{ "tensor shape with a zero", MANIFEST, "tensors.0.shape", "[5,0]", TG_E_FORMAT, "make 0" },
	{ "tensor shape overflow", MANIFEST, "tensors.0.shape",
	    "[4294967296,4294967296,4294967296]", TG_E_FORMAT, "overflow" },
	{ "tensor shape overflow to its size", MANIFEST, "tensors.0.shape",
	    "[25,4503599627370497,4096]", TG_E_FORMAT, "" },
	{ "tensor shape overflow beside a zero", MANIFEST, "tensors.0.shape",
	    "[4294967296,4294967296,4294967296,0]", TG_E_FORMAT, "make 0" },
	{ "tensor dtype empty", MANIFEST, "tensors.0.dtype", "\"\"", TG_E_FORMAT, "dtype" },
	{ "tensor dtype in lower case", MANIFEST, "tensors.0.dtype", "\"f32\"", TG_E_FORMAT,
	    "dtype" },
	{ "tensor dtype with a dash", MANIFEST, "tensors.0.dtype", "\"F-32\"", TG_E_FORMAT,
	    "dtype" },
	{ "tensor dtype of 17", MANIFEST, "tensors.0.dtype", "\"ABCDEFGHIJKLMNOPQ\"", TG_E_FORMAT,
	    "dtype" },
	{ "tensor of a dtype of 16 unknown here", MANIFEST, "tensors.0.dtype",
	    "\"ABCDEFGHIJKLM_09\"", TG_OK, "" },
	{ "tensor of another width", MANIFEST, "tensors.0.dtype", "\"F64\"", TG_E_FORMAT,
	    "make 200" },
};

#define DTYPE(name, shape)                                                               \
	{                                                                                \
		"100 bytes of " name, MANIFEST, "tensors.0",                             \
		    "{\"dtype\":\"" name                                                 \
		    "\",\"name\":\"b\",\"offset\":0,\"path\":\"z.bin\",\"shape\":" shape \
		    ",\"size\":100}",                                                    \
		    TG_OK, ""                                                            \
	}
static const struct edit dtypes[] = {
	DTYPE("BOOL", "[100]"),
	DTYPE("U8", "[100]"),
	DTYPE("I8", "[100]"),
	DTYPE("F8_E4M3", "[100]"),
	DTYPE("F8_E5M2", "[100]"),
	DTYPE("U16", "[50]"),
	DTYPE("I16", "[50]"),
	DTYPE("F16", "[50]"),
	DTYPE("BF16", "[50]"),
	DTYPE("U32", "[25]"),
	DTYPE("I32", "[25]"),
	DTYPE("F32", "[25]"),
	DTYPE("I4", "[3]"),
	DTYPE("Q4_K", "[256]"),
	{ "8 bytes of U64, a scalar", MANIFEST, "tensors.0",
	    "{\"dtype\":\"U64\",\"name\":\"b\",\"offset\":92,\"path\":\"z.bin\",\"shape\":[],"
	    "\"size\":8}",
	    TG_OK, "" },
	{ "an empty tensor at the end of its file", MANIFEST, "tensors.0",
	    "{\"dtype\":\"F64\",\"name\":\"b\",\"offset\":100,\"path\":\"z.bin\",\"shape\":[0,9],"
	    "\"size\":0}",
	    TG_OK, "" },
	{ "a tensor over another", MANIFEST, "tensors.0",
	    "{\"dtype\":\"I64\",\"name\":\"b\",\"offset\":8,\"path\":\"model/a.bin\",\"shape\":[2],"
	    "\"size\":16}",
	    TG_OK, "" },
};

/* ---- the content index ---- */

static const struct edit index_values[] = {
	{ "first file not at 0", MANIFEST, "content_index.0.offset", "4096", TG_E_FORMAT,
	    "0 expected" },
	{ "second file a page early", MANIFEST, "content_index.1.offset", "4096", TG_E_FORMAT,
	    "8192 expected" },
	{ "second file a byte late", MANIFEST, "content_index.1.offset", "8193", TG_E_FORMAT,
	    "8192 expected" },
	{ "second file without a gap", MANIFEST, "content_index.1.offset", "5000", TG_E_FORMAT,
	    "8192 expected" },
	{ "third file a page late", MANIFEST, "content_index.2.offset", "12288", TG_E_FORMAT,
	    "8192 expected" },
	{ "offset negative", MANIFEST, "content_index.1.offset", "-4096", TG_E_FORMAT,
	    "0 or more" },
	{ "offset 2^40", MANIFEST, "content_index.1.offset", "1099511627776", TG_E_FORMAT,
	    "8192 expected" },
	{ "offset 2^40+1", MANIFEST, "content_index.1.offset", "1099511627777", TG_E_LIMIT,
	    "at most" },
	{ "offset 2^53-1", MANIFEST, "content_index.1.offset", "9007199254740991", TG_E_LIMIT,
	    "at most" },
	{ "last file a byte short", MANIFEST, "content_index.2.size", "99", TG_E_FORMAT,
	    "plain_len is 8292" },
	{ "last file a byte long", MANIFEST, "content_index.2.size", "101", TG_E_FORMAT,
	    "plain_len 8292" },
	{ "first file one page more", MANIFEST, "content_index.0.size", "9096", TG_E_FORMAT,
	    "plain_len 8292" },
	{ "size negative", MANIFEST, "content_index.2.size", "-100", TG_E_FORMAT, "0 or more" },
	{ "size 2^40", MANIFEST, "content_index.0.size", "1099511627776", TG_E_FORMAT,
	    "behind plain_len" },
	{ "size 2^40+1", MANIFEST, "content_index.0.size", "1099511627777", TG_E_LIMIT, "at most" },
	{ "size 2^53-1", MANIFEST, "content_index.0.size", "9007199254740991", TG_E_LIMIT,
	    "at most" },
	{ "a file too few", MANIFEST, "content_index.2", NULL, TG_E_FORMAT, "plain_len is 8292" },
	{ "the first file gone", MANIFEST, "content_index.0", NULL, TG_E_FORMAT, "0 expected" },
	{ "no file, and plaintext", MANIFEST, "content_index", "[]", TG_E_FORMAT,
	    "plain_len is 8292" },
};

static void
files_are_ordered(void)
{
	struct forge *f = forge_new();

	/* b.txt is empty and shares its offset with z.bin: only the order of paths can refuse */
	json_set(&f->text[MANIFEST], "content_index.1.path", "\"zz.txt\"");
	refused(f, STEP_OPEN, TG_E_FORMAT, "twice or out of order", "files out of order");
	f = forge_new();
	json_set(&f->text[MANIFEST], "content_index.1.path", "\"z.bin\"");
	refused(f, STEP_OPEN, TG_E_FORMAT, "twice or out of order", "file twice");
}

/* ---- paths ---- */

#define D255 N255

static const struct {
	const char *path, *why; /* why NULL: a good path */
} paths[] = {
	{ "a", NULL },
	{ "a/b/c", NULL },
	{ "..a", NULL },
	{ "a..", NULL },
	{ "...", NULL },
	{ ".hidden/x", NULL },
	{ "a b", NULL },
	{ "-rf", NULL },
	{ "~", NULL },
	{ "a:b", NULL },
	{ "\xc3\xa9/\xe2\x82\xac", NULL },
	{ "c\xc2\x9b", NULL }, /* C1 is not among the bytes that are refused */
	{ D255, NULL },
	{ D255 "/" D255 "/" D255 "/" D255 "/x", "1 ... 1024" },
	{ D255 "/" D255 "/" D255 "/" N50 N50 N50 N50 N50 "nnnnnn", "component longer than 255" },
	{ D255 "/" D255 "/" D255 "/" N50 N50 N50 N50 N50 "nnnnn", NULL },
	{ D255 "/" D255 "/" D255 "/" N50 N50 N50 N50 N50 "nnn/n", NULL },
	{ "", "1 ... 1024" },
	{ "/", "empty component" },
	{ "/etc/passwd", "empty component" },
	{ "a/", "empty component" },
	{ "a//b", "empty component" },
	{ "//", "empty component" },
	{ ".", "\".\" or \"..\"" },
	{ "..", "\".\" or \"..\"" },
	{ "../x", "\".\" or \"..\"" },
	{ "a/..", "\".\" or \"..\"" },
	{ "a/../b", "\".\" or \"..\"" },
	{ "./a", "\".\" or \"..\"" },
	{ "a/.", "\".\" or \"..\"" },
	{ "a/./b", "\".\" or \"..\"" },
	{ D255 "n", "component longer than 255" },
	{ "a/" D255 "n/b", "component longer than 255" },
	{ "a\\\\b", "byte 0x5c" },
	{ "..\\\\x", "byte 0x5c" },
	{ "C:\\\\x", "byte 0x5c" },
	{ "a\\u0001", "byte 0x01" },
	{ "a\\nb", "byte 0x0a" },
	{ "a\\tb", "byte 0x09" },
	{ "a\\u001b[2J", "byte 0x1b" },
	{ "a\x7f", "byte 0x7f" },
};

static void
one_path(const char *path, const char *why)
{
	struct forge *f = forge_new();
	static const struct forge_file one[] = { { "PATH", 100 } };
	char text[1200], name[96];

	forge_contents(f, one, 1, false);
	(void)snprintf(text, sizeof(text), "\"%s\"", path);
	json_set(&f->text[MANIFEST], "content_index.0.path", text);
	(void)snprintf(name, sizeof(name), "path of %zu characters: %.40s", strlen(path), path);
	for (char *p = name; *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	if (why == NULL)
		accepted(f, name);
	else
		refused(f, STEP_OPEN, TG_E_FORMAT, why, name);
}

static const struct {
	const char *name, *a, *b, *why; /* why NULL: they may stand together */
} path_pairs[] = {
	{ "two cases of one name", "A", "a", "up to upper and lower case" },
	{ "two cases in the middle", "x/README/1", "x/readme/1", "up to upper and lower case" },
	{ "a file and its folder", "a", "a/b", "another file's name is its folder" },
	{ "a file and a folder above", "a/b", "a/b/c/d", "another file's name is its folder" },
	{ "a file and its folder in the other case", "A", "a/b",
	    "another file's name is its folder" },
	{ "a folder in the other case", "a/B/c", "a/b", "another file's name is its folder" },
	{ "a file that only starts like a folder", "a", "ab/c", NULL },
	{ "two cases of folders", "A/x", "a/y", NULL },
	{ "letters beyond ASCII do not fold", "\xc3\x89", "\xc3\xa9", NULL },
	{ "the bracket is no folded letter", "@", "`", NULL },
	{ "bytewise order, not of letters", "Z", "a", NULL },
	{ "out of order", "b", "a", "twice or out of order" },
	{ "twice", "a", "a", "twice or out of order" },
	{ "out of order behind a slash", "a/b", "a-b", "twice or out of order" },
	{ "in order around a slash", "a-b", "a/b", NULL },
};

static void
two_paths(void)
{
	for (size_t i = 0; i < TG_LEN(path_pairs); i++) {
		struct forge *f = forge_new();
		const struct forge_file two[] = { { path_pairs[i].a, 10 },
			{ path_pairs[i].b, 20 } };
		char name[128];

		(void)snprintf(name, sizeof(name), "paths: %s", path_pairs[i].name);
		forge_contents(f, two, 2, false);
		if (path_pairs[i].why == NULL)
			accepted(f, name);
		else
			refused(f, STEP_OPEN, TG_E_FORMAT, path_pairs[i].why, name);
	}
}

/* ---- counts ---- */

static void
delegates_are_counted(void)
{
	for (int n = 64; n <= 65; n++) {
		struct forge *f = forge_new();
		struct tg_buf list = { .max = 8192 };

		for (int i = 0; i < n; i++) {
			char id[48];

			(void)snprintf(id, sizeof(id), "%c\"%032x\"", i == 0 ? '[' : ',', i);
			put(&list, id, strlen(id));
		}
		put(&list, "]", 2);
		json_set(&f->text[MANIFEST], "delegates", (const char *)list.p);
		tg_buf_done(&list);
		if (n == 64)
			accepted(f, "64 delegates");
		else
			refused(f, STEP_OPEN, TG_E_LIMIT, "65 key ids, at most 64", "65 delegates");
	}
}

int
main(void)
{
	cast_make();
	every_field();
	edits(shapes, TG_LEN(shapes));
	unknown_keys();
	every_binary_value();
	edits(fixed_values, TG_LEN(fixed_values));
	edits(manifest_values, TG_LEN(manifest_values));
	edits(tensor_values, TG_LEN(tensor_values));
	edits(dtypes, TG_LEN(dtypes));
	edits(index_values, TG_LEN(index_values));
	files_are_ordered();
	for (size_t i = 0; i < TG_LEN(paths); i++)
		one_path(paths[i].path, paths[i].why);
	two_paths();
	delegates_are_counted();
	cast_done();
	return tap_done();
}
