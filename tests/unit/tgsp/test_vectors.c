/* docs/PROTOCOL.tgsp.md section 6, and a whole package of fixed seeds. */
#include "pack.h"

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/kem.h"
#include "tgsp/envelope.h"
#include "tgsp/keys.h"
#include "tgsp/payload.h"
#include "tgsp/recipients.h"
#include "tgsp/signature.h"

static const char manifest_text[] = "{\"model_name\":\"kat\",\"tgsp_version\":\"1.0\"}";
static const char header_text[] = "{\"kat\":1}";

static void
count_up(uint8_t *p, size_t n, uint8_t from)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(from + i);
}

/* ---- payload ---- */

struct payload_vector {
	unsigned chunk_log2;
	uint64_t plain_len;
	const char *ctx, *k_payload, *commit, *tag[3], *leaf0, *root;
};

static const struct payload_vector three_chunks = {
	.chunk_log2 = 12,
	.plain_len = 8292,
	.ctx = "08d21b9daf7ef10f3cc7fa64ac13fd66f8971e8abef63f3655c678cdb0bf6a26",
	.k_payload = "9a7978b030edceb35806867e2c0993ab5a59f4ef181e0e637bba81105e278092",
	.commit = "ec26f98242ab332340eb91fe6bb4dd5ddfe9197fc63b103f9e47214d6faf6f88",
	.tag = { "b966623689fe1acdd06d5ae08c1d2c07", "67072ae84ced38b8fe40b2192b6eb17f",
	    "75db61a29ffdc24cd61644fa48670d01" },
	.leaf0 = "6f1334671041fd51cd2e4e3647b745f4c03a7873925b6838c9debdd8fb223678",
	.root = "d13b503889da5948772f323d7559b4d63bc0b99ec4b35af04e8fc9d930cc29cd",
};

static const struct payload_vector nothing = {
	.chunk_log2 = 16,
	.plain_len = 0,
	.ctx = "fc8a9fd748b8291aee24ce439674dcb42cfa46345fcee85a58d65082c79ee036",
	.k_payload = "e2a26f25898b5706df88114fcabfe4b05dca700c6e6bb2bbfc2b5c28447232a9",
	.commit = "43bfb4d08b3898fff172578c238cc7445ae1c7030c81ac51485a707a57364f27",
	.tag = { "140c318efe85b5aef5562577ef4de1e2" },
	.root = "a5986c18dc39aa86ec2173386ffde69832b77d02583f295de34721ef92a6aab5",
};

/* j-th byte (7j + 3) & 255 */
static tg_status
fill_pattern(void *ctx, uint8_t *buf, size_t n, struct tg_error *err)
{
	uint64_t *at = ctx;

	(void)err;
	for (size_t i = 0; i < n; i++, (*at)++)
		buf[i] = (uint8_t)(7 * *at + 3);
	return TG_OK;
}

static void
payload_reads_back(
    const struct tgsp_layout *l, const struct tg_key32 *key, const uint8_t *root, tg_bytes file)
{
	const struct tg_source src = tg_source_bytes(&file);
	struct tgsp_payload p;
	struct tg_buf got;
	const struct tg_sink to = keep_in(&got);
	unsigned long wrong = 0;

	OK_STATUS(tgsp_payload_open(&src, l, root, &p, NULL), TG_OK);
	OK_STATUS(tgsp_payload_verify(&p, 2, NULL, NULL), TG_OK);
	OK_STATUS(tgsp_payload_read(&p, key, 0, l->plain_len, 2, &to, NULL, NULL), TG_OK);
	for (size_t j = 0; j < got.n; j++)
		wrong += got.p[j] != (uint8_t)(7 * j + 3);
	OK(got.n == l->plain_len && wrong == 0);
	tgsp_payload_done(&p);
	tg_buf_done(&got);
}

static void
payload_vector(const struct payload_vector *v, unsigned threads)
{
	struct tg_key32 dek, key;
	uint8_t salt[32], ctx[32], commit[32], root[32], index[3 * TGSP_INDEX_RECORD];
	struct tgsp_layout l;
	struct mem_target mem;
	const struct tg_target out = mem_target(&mem);
	uint64_t at = 0;
	const struct tgsp_plaintext from = { fill_pattern, &at };

	count_up(dek.b, 32, 0);
	count_up(salt, 32, 0x20);
	MUST(tgsp_context(tg_bytes_str(manifest_text), v->plain_len, v->chunk_log2, ctx, err));
	OK(is_hex(ctx, 32, v->ctx));
	MUST(tgsp_payload_keys(&dek, salt, ctx, &key, commit, err));
	OK(is_hex(key.b, 32, v->k_payload));
	OK(is_hex(commit, 32, v->commit));
	MUST(tgsp_layout(v->plain_len, v->chunk_log2, 0, &l, err));
	MUST(tgsp_payload_write(&l, &key, &from, threads, &out, index, root, NULL, err));
	for (size_t i = 0; i < l.chunks; i++)
		OK(is_hex(index + i * TGSP_INDEX_RECORD + 32, 16, v->tag[i]));
	if (v->leaf0 != NULL)
		OK(is_hex(index, 32, v->leaf0));
	OK(is_hex(root, 32, v->root));
	MUST(out.write_at(out.ctx, index, (size_t)l.index_len, l.index_at, err));
	static const uint8_t zeros[4096];
	MUST(out.write_at(out.ctx, zeros, (size_t)l.pad_len, l.index_at + l.index_len, err));
	payload_reads_back(&l, &key, root, (tg_bytes){ mem.p, mem.n });
	free(mem.p);
}

/* ---- keys and signatures ---- */

static void
kem_vector(void)
{
	uint8_t ss_x[32], ss_m[32], ek_x[32], pk_x[32], ct_m[1088], pk_m[1184], hash[32], ss[32];
	uint8_t id[32], commit[32], aad[48], wrapper[48];
	struct tg_key32 kek, dek;
	struct tg_aead *aead = NULL;
	static const uint8_t nonce[12];
	const tg_bytes m = tg_bytes_str(manifest_text);
	static const char label[] = "TGSP-v1 recipient";

	memset(ss_x, 0x11, sizeof(ss_x));
	memset(ss_m, 0x22, sizeof(ss_m));
	memset(ek_x, 0x33, sizeof(ek_x));
	memset(pk_x, 0x44, sizeof(pk_x));
	memset(ct_m, 0x55, sizeof(ct_m));
	memset(pk_m, 0x66, sizeof(pk_m));
	count_up(dek.b, 32, 0);
	MUST(tg_kem_combine(ss_x, ss_m, ss, err));
	OK(is_hex(ss, 32, "5189c77d29fe5d546a045ec46986852785fea5c13ac7da9c115ff5fb6edf817c"));
	MUST(tg_sha256(&m, 1, hash, err));
	const struct tgsp_kem_transcript t = { ss_x, ss_m, ek_x, pk_x, ct_m, pk_m, hash };
	MUST(tgsp_kek(&t, &kek, err));
	OK(is_hex(kek.b, 32, "149f13e6a8f359af0b066942fc07833a515d2a98932ba8a6a7880275dde8f044"));
	const tg_bytes named_by[] = { { (const uint8_t *)label, sizeof(label) }, { pk_x, 32 },
		{ pk_m, sizeof(pk_m) } };
	MUST(tg_sha256(named_by, 3, id, err));
	OK(is_hex(id, 16, "ddb908a579fa9524c5135115683cd9c5"));
	OK(tg_hex_decode(commit, 32, tg_bytes_str(three_chunks.commit)));
	memcpy(aad, id, 16);
	memcpy(aad + 16, commit, 32);
	MUST(tg_aead_new(kek.b, &aead, err));
	MUST(tg_aead_seal(
	    aead, nonce, (tg_bytes){ aad, 48 }, dek.b, 32, wrapper, wrapper + 32, err));
	OK(is_hex(wrapper, 48,
	    "a2b7901b3400568ae12a1be22b30223f8efb77b0311a86d94ae4bf96913bd639"
	    "a9d8ab59e9bd8d1e11fba268f2bcd8cc"));
	tg_aead_free(aead);
}

static void
key_ids(void)
{
	struct tg_key *signer = vector_signer(), *recipient = vector_recipient();

	OK(is_hex(tg_key_id(recipient), 16, "c3ded1b8a910d84726da909a7ab065fa"));
	OK(is_hex(tg_key_id(signer), 16, "9126c2adb881380f6a716daf8b963441"));
	tg_key_free(signer);
	tg_key_free(recipient);
}

/* M' of the content, rebuilt here from the protocol's text. */
static void
composite_message(const char *statement, size_t label_len, tg_bytes body, const char *want)
{
	const tg_bytes parts[] = { { (const uint8_t *)statement, label_len }, body };
	uint8_t m[TG_COMPOSITE_MSG_LEN], hash[32];
	const tg_bytes whole = { m, sizeof(m) };

	MUST(tg_composite_message(parts, 2, m, err));
	MUST(tg_sha256(&whole, 1, hash, err));
	OK(is_hex(hash, 32, want));
}

static void
statements(void)
{
	static const char content[] = "TGSP-v1 content", recipients[] = "TGSP-v1 recipients";
	struct tg_buf body = { .max = 4096 };
	uint8_t hash[32];

	MUST(tgsp_package_hash(tg_bytes_str(header_text), tg_bytes_str(manifest_text), hash, err));
	OK(is_hex(hash, 32, "65636773c091df0f52edda4668531a1dbd5ae50167301f3774b2d6d14419c109"));
	put(&body, "TGSP\1\0\0\0\0\11", 10);
	put(&body, header_text, 9);
	put(&body, "\0\0\0\51", 4);
	put(&body, manifest_text, 41);
	composite_message(content, sizeof(content), tg_buf_view(&body),
	    "a65e6bca7d5881e84bc992ea836fc95434bdacee3bd4991b7801c1a5a4127e67");
	body.n = 0;
	put(&body, hash, 32);
	put(&body, "\0\0\0\2[]", 6);
	composite_message(recipients, sizeof(recipients), tg_buf_view(&body),
	    "eded9e1b7307870f7de35d7a37193cc26be0e508046d401f87d958c8447e242e");
	tg_buf_done(&body);
}

static void
signatures(void)
{
	struct tg_key *k = vector_signer(), *pub = public_half(k);
	const tg_bytes h = tg_bytes_str(header_text), m = tg_bytes_str(manifest_text);
	struct tg_composite_sig sig, random;
	uint8_t hash[32];

	MUST(tgsp_content_sign(k, h, m, true, &sig, err));
	OK(is_hex(sig.classic, 64,
	    "6e4b64fa1946a3b85e58226763d36089242d16e4834d4a3cd7febec04fd67cb1"
	    "8ba68bf79b4f72aa6cce68e7a3bdea0a8593a1d16103bc3e08a1dfc70fe8a80c"));
	const tg_bytes pqc = { sig.pqc, sizeof(sig.pqc) };
	MUST(tg_sha256(&pqc, 1, hash, err));
	OK(is_hex(hash, 32, "a515505ef56110950f53857c4659a9b190a5c555b353efe0b10b97cd3766b3ba"));
	OK_STATUS(tgsp_content_verify(pub, h, m, &sig, NULL), TG_OK);
	MUST(tgsp_content_sign(k, h, m, false, &random, err));
	OK(memcmp(sig.classic, random.classic, 64) == 0);
	OK(memcmp(sig.pqc, random.pqc, sizeof(sig.pqc)) != 0);
	OK_STATUS(tgsp_content_verify(pub, h, m, &random, NULL), TG_OK);
	tg_key_free(k);
	tg_key_free(pub);
}

/* ---- a whole package ---- */

static tg_bytes
vector_package(unsigned threads, const char *extra_path, struct tg_build_result *result)
{
	struct tg_key *signer = vector_signer(), *to = vector_recipient();
	const struct tg_key *recipients[] = { to };
	struct tg_secret *repro = NULL;
	static const uint8_t delegates[][TG_KEY_ID_LEN] = { { 0xde, 1 }, { 0xde, 0 } };
	static const char *const fleets[] = { "warehouse", "edge" };
	const uint64_t before = 1577836800, after = 1893456000;
	uint8_t model[70001];
	struct mem_file files[] = {
		{ "weights/model.raw", { model, sizeof(model) } },
		{ "README.txt", tg_bytes_str("TensorGuard test vector\n") },
		{ extra_path, { NULL, 0 } },
	};
	tg_bytes ret = { NULL, 0 };

	for (size_t i = 0; i < sizeof(model); i++)
		model[i] = (uint8_t)(7 * i + 3);
	MUST(tg_secret_new(32, &repro, err));
	memset(tg_secret_bytes(repro), 0x06, 32);
	const struct tg_build_spec spec = {
		.signer = signer,
		.recipients = recipients,
		.n_recipients = 1,
		.model_name = "vector",
		.model_version = "1.2.3",
		.kind = "model",
		.created_at = 1577836800,
		.rollback_index = 7,
		.not_before = &before,
		.not_after = &after,
		.fleets = fleets,
		.n_fleets = 2,
		.min_agent_version = "1.0.0",
		.delegates = delegates,
		.n_delegates = 2,
		.custom = "{ \"b\": [1, true, \"\\u00e9\"], \"a\": {} }",
		.reproducible = repro,
		.threads = threads,
	};
	MUST(pack(spec, files, 3, result, &ret, err));
	tg_secret_free(repro);
	tg_key_free(signer);
	tg_key_free(to);
	return ret;
}

static void
complete_package(void)
{
	struct tg_build_result result;
	const tg_bytes one = vector_package(1, "empty", &result);
	uint8_t hash[32];

	OK(result.package_size == one.n);
	OK(is_hex(result.content_hash, 32,
	    "544458710aec75fde0b2f6953101f9e831ea9cb69ff2943f918678565a40f5f2"));
	OK(is_hex(result.package_hash, 32,
	    "3f96c9e2d3efdcb0aef0e4e3e585cf0086739b8ba23aea0d8fca7e55543750a1"));
	MUST(tg_sha256(&one, 1, hash, err));
	OK(is_hex(hash, 32, "7f87695590e33669cbddd7d2262abf710d017e2e3219770febd6a48ab9b1fc5f"));
	for (unsigned threads = 1; threads <= 3; threads++) {
		const tg_bytes again = vector_package(threads, "empty", &result);

		OK(tg_bytes_equal(one, again));
		free((void *)(uintptr_t)again.p);
	}
	free((void *)(uintptr_t)one.p);
}

static tg_bytes
ciphertext_of(tg_bytes package)
{
	const struct tg_source src = tg_source_bytes(&package);
	struct tgsp_envelope *e = NULL;

	MUST(tgsp_envelope_read(&src, &e, err));
	const tg_bytes ct = { package.p + e->layout.ct_at, (size_t)e->layout.plain_len };
	tgsp_envelope_free(e);
	return ct;
}

/* The name of an empty file differs: everything is drawn anew, and the same plaintext at the same
 * offset shares no key stream. */
static void
another_input_shares_no_key(void)
{
	struct tg_build_result ra, rb;
	const tg_bytes a = vector_package(2, "empty", &ra), b = vector_package(2, "emptz", &rb);
	const tg_bytes x = ciphertext_of(a), y = ciphertext_of(b);
	size_t equal = 0;

	OK(x.n == y.n && x.n > 70000);
	for (size_t i = 0; i < x.n; i++)
		equal += x.p[i] == y.p[i];
	OK(equal < 2 * x.n / 256);
	OK(memcmp(ra.package_hash, rb.package_hash, 32) != 0);
	OK(memcmp(ra.content_hash, rb.content_hash, 32) != 0);
	free((void *)(uintptr_t)a.p);
	free((void *)(uintptr_t)b.p);
}

int
main(void)
{
	for (unsigned threads = 1; threads <= 3; threads++) {
		payload_vector(&three_chunks, threads);
		payload_vector(&nothing, threads);
	}
	kem_vector();
	key_ids();
	statements();
	signatures();
	complete_package();
	another_input_shares_no_key();
	return tap_done();
}
