/* tensorguard/limits.h - every bound that an outsider can push on, in one place.
 * The container's are normative: docs/PROTOCOL.tgsp.md section 1. */
#ifndef TENSORGUARD_LIMITS_H
#define TENSORGUARD_LIMITS_H

/* Container */
#define TG_MAX_TGSP_HEADER         (64u << 10)
#define TG_MAX_TGSP_MANIFEST       (16u << 20)
#define TG_MAX_TGSP_RECIPIENTS     (16u << 20)
#define TG_MAX_TGSP_SIGNATURE      (1u << 20)
#define TG_MAX_RECIPIENTS          1000u
#define TG_MAX_PLAIN_LEN           (1ull << 40)
#define TG_MAX_PAYLOAD_LEN         (1ull << 41)
#define TG_MAX_CHUNKS              65536u
#define TG_MIN_CHUNK_LOG2          12u
#define TG_MAX_CHUNK_LOG2          24u
#define TG_MIN_WRITTEN_CHUNK_LOG2  16u
#define TG_PAYLOAD_ALIGN           4096u
#define TG_MAX_PATH_LEN            1024u
#define TG_MAX_PATH_COMPONENT      255u
#define TG_MAX_NAME_LEN            255u
#define TG_MAX_FORMAT_LEN          32u
#define TG_MAX_DTYPE_LEN           16u
#define TG_MAX_TENSOR_RANK         8u
#define TG_MAX_DELEGATES           64u
#define TG_MAX_TARGET_FLEETS       4096u

/* JSON */
#define TG_MAX_JSON_DEPTH          8u
#define TG_MAX_JSON_VALUES         (1u << 20)
#define TG_MAX_JSON_INT            9007199254740991ll /* 2^53 - 1 */

/* Files read whole */
#define TG_MAX_KEY_FILE            (64u << 10)
#define TG_MAX_PASSPHRASE          1024u
#define TG_MAX_TRUST_FILES         4096u
#define TG_MAX_STATE_FILE          (1u << 20)
#define TG_MAX_TRUST_STORE         (16u << 20)

/* Passphrase-protected keys: what a file may ask of us */
#define TG_MAX_ARGON2_KIB          (1u << 20)
#define TG_MAX_ARGON2_PASSES       16u
#define TG_MAX_ARGON2_LANES        16u

/* Model files that are looked into */
#define TG_MAX_SAFETENSORS_HEADER  (100u << 20)
#define TG_MAX_TENSORS             65536u
#define TG_MAX_PROTOBUF_DEPTH      32u
#define TG_MAX_NPY_HEADER          (64u << 10)
#define TG_MAX_ZIP_MEMBERS         65536u
#define TG_MAX_ZIP_DIRECTORIES     16u         /* end records that one file may offer */
#define TG_MAX_PROTOBUF_FILE       2147483647u /* what protobuf itself can read */
#define TG_MAX_PICKLE_OPCODES      (4u << 20)
#define TG_MAX_PICKLE_TEXT         (16u << 20)  /* bytes of its lines */
#define TG_MAX_INFLATED            (1u << 30)   /* in one look for code */
#define TG_MAX_NESTED_ZIP          (64u << 20)  /* deflated inside another zip */

/* Evidence log (docs/PROTOCOL.evidence.md) */
#define TG_MAX_LOG_RECORD          65535u
#define TG_MAX_NOTE                (256u << 10)
#define TG_MAX_NOTE_LINES          32u
#define TG_MAX_LOG_POLICY          (1u << 20)
#define TG_MAX_LOG_POLICY_KEYS     1024u
#define TG_MAX_TLOG_PROOF          (512u << 10)

/* HTTP, ours and others' */
#define TG_MAX_URL                 2048u
#define TG_MAX_HTTP_HEADER         (16u << 10) /* first line and header fields */
#define TG_MAX_HTTP_BODY           (1u << 20)  /* of a request, unless a server says otherwise */
#define TG_MAX_HTTP_REPLY          (16u << 20)
#define TG_MAX_HTTP_CONNECTIONS    64u         /* at once; more wait */
#define TG_MAX_HTTP_SECONDS        300u

/* Work */
#define TG_MAX_THREADS             64u
#define TG_MAX_INPUT_FILES         65536u
#define TG_MAX_RUN_TENSORS         64u

#endif
