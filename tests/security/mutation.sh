#!/bin/sh
# Take one check out of the reader at a time, and see that a test notices. Each row of the table is
# a file, a sed expression that drops the check, and what it was for. The changed file is compiled
# and linked before the library, so that it takes the place of the original.
set -u
cd "$(dirname "$0")/../.." || exit 2
B=${TG_BUILD:-build/release}
W=$(mktemp -d) || exit 2
trap 'rm -rf "$W"' EXIT

# quick ones first: most mutants die early
built() { # TEST...: those that have been built
	for t in "$@"; do
		[ ! -f "$B/tests/unit/$t.o" ] || printf '%s ' "$B/tests/unit/$t.o"
	done
}
tests=$(built tgsp/test_negative crypto/test_sig_ed25519 tgsp/test_negative_json tgsp/test_negative_schema \
	crypto/test_composite tgsp/test_trust tgsp/test_flip)
evidence_tests=$(built evidence/test_forged evidence/test_event evidence/test_checkpoint evidence/test_policy \
	evidence/test_witness evidence/test_proof evidence/test_tamper evidence/test_tamper_end \
	evidence/test_damage)
if [ -z "$tests" ]; then
	echo "not ok 1 - no negative tests have been built ('make tests' first)"
	echo 1..1
	exit 1
fi

# The compiler's flags and libraries as the Makefile has them.
CC=${CC:-cc}
ALL_CFLAGS=$(make -s --no-print-directory print-flags)
ALL_LDFLAGS=$(make -s --no-print-directory print-link | sed -n 1p)
LDLIBS=$(make -s --no-print-directory print-link | sed -n 2p)

table() {
	cat <<'T'
src/tgsp/frame.c|s/memcmp(magic, tgsp_magic, sizeof(magic)) == 0/true/|magic
src/tgsp/frame.c|s/TG_REQUIRE(c.at == src->size,/TG_REQUIRE(true,/|exact end of the file
src/tgsp/frame.c|s/TG_REQUIRE(n <= to->max,/TG_REQUIRE(true,/|section limits
src/tgsp/envelope.c|s/h->chunks == e->layout.chunks/true/|count of chunks
src/tgsp/envelope.c|s/e->frame.payload_len == e->layout.payload_len/true/|payload length
src/tgsp/header.c|s/TG_TRY(tgsp_get_exact(tg_json_get(j, tuple/TG_TRY(mutant_ok(tg_json_get(j, tuple/|algorithm tuple
src/tgsp/header.c|s/TG_TRY(tgsp_get_exact(f\[VERSION\]/TG_TRY(mutant_ok(f[VERSION]/|version of the header
src/tgsp/package.c|s/tgsp_content_verify(author/mutant_ok(author/|author's signature
src/tgsp/package.c|s/TG_TRY(signer_check(/TG_TRY(mutant_ok(/|signer is the author
src/tgsp/package.c|s/memcmp(hash, e->header.manifest_hash, sizeof(hash)) == 0/true/|manifest hash
src/tgsp/package.c|s/return tgsp_manifest_check(/return mutant_ok(/|content index and tensors
src/tgsp/package.c|s/tgsp_recipients_verify(signer/mutant_ok(signer/|recipients' signature
src/tgsp/package.c|s/(is_delegate(e->manifest, id))/(true)/|delegate is listed
src/tgsp/package.c|s/tgsp_policy_check(p->envelope->manifest, policy, err) != 0/false/|policy at unlocking
src/tgsp/package.c|s/tg_equal_ct(commit, e->header.commit, sizeof(commit))/true/|key commitment
src/tgsp/package.c|s/memcmp(got, f->sha256, sizeof(got)) == 0/true/|file hash at loading
src/tgsp/files.c|s/memcmp(got, f->sha256, sizeof(got)) == 0/true/|file hash of a whole package
src/tgsp/files.c|s/TG_TRY(gap_check(s, p, run, err));/(void)gap_check;/|gaps are zero
src/tgsp/payload.c|s/memcmp(got, root, 32) == 0/true/|index against the signed root
src/tgsp/payload.c|s/TG_TRY(padding_check(&p, err));/(void)padding_check;/|padding is zero
src/tgsp/payload.c|s/memcmp(leaf\[i\].hash, r->p->index\[s->first + i\], 32) == 0/true/|leaf of a chunk
src/tgsp/payload.c|s/index\[chunk\] + 32, p, NULL) == TG_OK,/index[chunk] + 32, p, NULL) != TG_STATUS_COUNT,/|tag of a chunk
src/tgsp/policy.c|s/{ TG_POLICY_WINDOW, window_fails },//|time window
src/tgsp/policy.c|s/{ TG_POLICY_FLEET, fleet_fails },//|fleet
src/tgsp/policy.c|s/{ TG_POLICY_FLOOR, floor_fails },//|rollback floor
src/tgsp/policy.c|s/{ TG_POLICY_AGENT_VERSION, agent_fails },//|agent version
src/tgsp/recipients.c|s/memcmp(r.at\[r.n - 1\].id, r.at\[r.n\].id, TG_KEY_ID_LEN) < 0/true/|recipients sorted and unique
src/tgsp/recipients.c|s/TG_REQUIRE(n <= TG_MAX_RECIPIENTS,/TG_REQUIRE(true,/|count of recipients
src/tgsp/manifest.c|s/TG_TRY(paths_check(m, err));/(void)paths_check;/|paths
src/tgsp/manifest.c|s/TG_TRY(offsets_check(m, plain_len, err));/(void)offsets_check;/|offsets
src/tgsp/manifest.c|s/TG_TRY(tensor_check(m, t, err));/(void)tensor_check;/|tensors
src/tgsp/manifest.c|s/strcmp(m->fleets\[i - 1\], m->fleets\[i\]) < 0/true/|fleets sorted and unique
src/tgsp/manifest.c|s/memcmp(m->delegates\[i - 1\], m->delegates\[i\], TG_KEY_ID_LEN) < 0/true/|delegates sorted and unique
src/tgsp/path.c|s/strcmp(paths\[i - 1\], paths\[i\]) < 0/true/|paths sorted and unique
src/tgsp/path.c|s/TG_REQUIRE(strcmp(f->at\[i - 1\], f->at\[i\]) != 0,/TG_REQUIRE(true,/|paths unique up to case
src/tgsp/path.c|s/TG_REQUIRE(!under_a_file(f, copy),/TG_REQUIRE((void *)under_a_file != NULL,/|no file is a folder
src/tgsp/path.c|s/TG_REQUIRE(!(n == 1 \&\& c\[0\] == '.')/TG_REQUIRE(true ? true : !(n == 1)/|no . and .. in paths
src/tgsp/trust.c|s/return e->role == role \&\& /return /|role of a trusted key
src/crypto/sig_ed25519.c|s/TG_REQUIRE(!tg_ed25519_refused(pk),/TG_REQUIRE(true,/|weak Ed25519 keys
src/crypto/composite.c|s/TG_TRY(tg_sig_ed25519.verify(classic/TG_TRY(mutant_ok(classic/|classic half of a signature
src/crypto/composite.c|s/return tg_sig_mldsa65.verify(pqc/return mutant_ok(pqc/|post-quantum half of a signature
src/evidence/block.c|s/return memcmp(hex, b->record\[i\].p + at, TG_HEX_HASH) == 0/return true/|event_hash and chain_hash
src/evidence/block.c|s/TG_REQUIRE(r->sequence == sequence,/TG_REQUIRE(true,/|records in sequence
src/evidence/block.c|s/memcmp(r->p + TG_RECORD_PREV_AT, chain, TG_HEX_HASH) == 0/true/|prev_hash
src/evidence/block.c|s/TG_REQUIRE(tg_bytes_equal(origin, tg_bytes_str(b->origin)),/TG_REQUIRE(true,/|one log's records
src/evidence/record.c|s/(uint64_t)tg_event_int(ret->value\[TG_M_SEQUENCE\]) == r->sequence/true/|the event's own sequence
src/evidence/verify.c|s/if (memcmp(root, c.root, 32) != 0)/if (false)/|a checkpoint's root
src/evidence/verify.c|s/TG_REQUIRE(v->next_checkpoint == v->checkpoints.n,/TG_REQUIRE(true,/|records that a checkpoint covers
src/evidence/proof.c|s/TG_REQUIRE(same(r, root),/TG_REQUIRE(true,/|where an inclusion path leads
src/evidence/proof.c|s/TG_REQUIRE(same(fr, root_m) \&\& same(sr, root_n),/TG_REQUIRE(true,/|where a consistency path leads
src/evidence/quorum.c|s/TG_REQUIRE(signed_by == wanted,/TG_REQUIRE(true,/|both of a log's signatures
src/evidence/quorum.c|s/TG_REQUIRE(have\[p->quorum\] >= need,/TG_REQUIRE(true,/|the quorum
src/evidence/prove.c|s/TG_REQUIRE(r.sequence == p->index,/TG_REQUIRE(true,/|the place of a proved record
src/evidence/witness.c|s/TG_REQUIRE(a->old == a->last.size,/TG_REQUIRE(true,/|what a witness has seen
src/evidence/recover.c|s/TG_REQUIRE(!before(to->spot, s->known_end),/TG_REQUIRE(true,/|the durable end of a log
T
}

# Does any test notice? They stop at the first failure that counts: a non-zero exit.
killed() { # OBJECT TESTS
	for t in $2; do
		# shellcheck disable=SC2086
		$CC $ALL_LDFLAGS -o "$W/mutant" "$t" "$1" "$B/libtensorguard.a" $LDLIBS 2>"$W/link" ||
			{ sed 's/^/# /' "$W/link"; return 1; }
		timeout 120 "$W/mutant" >/dev/null 2>&1 || return 0
	done
	return 1
}

# Unchanged, they all pass: or nothing below would mean anything.
n=1 bad=0
if killed "$B/src/tgsp/policy.o" "$tests $evidence_tests"; then
	echo "not ok 1 - a test fails without any change"
	bad=1
else
	echo "ok 1 - with every check in place, all tests pass"
fi
while IFS='|' read -r file edit what; do
	n=$((n + 1))
	case $file in src/evidence/*) by=$evidence_tests ;; *) by=$tests ;; esac
	sed "$edit" "$file" >"$W/mutant.c"
	if cmp -s "$file" "$W/mutant.c"; then
		echo "not ok $n - $what: $file has changed, the table must follow"
		bad=$((bad + 1))
		continue
	fi
	# shellcheck disable=SC2086
	if ! eval "$CC $ALL_CFLAGS" -w -D"'mutant_ok(...)=TG_OK'" -c -o "$W/mutant.o" "$W/mutant.c" 2>"$W/err"; then
		sed 's/^/# /' "$W/err" | head -5
		echo "not ok $n - $what: the mutant does not compile"
		bad=$((bad + 1))
	elif killed "$W/mutant.o" "$by"; then
		echo "ok $n - without the check of $what, a test fails"
	else
		echo "not ok $n - nobody misses the check of $what ($file)"
		bad=$((bad + 1))
	fi
done <<T
$(table)
T
echo "1..$n"
[ "$bad" -eq 0 ]
