#!/bin/bash
# inspect: what a package says of itself, to anybody, strictly read and marked as not verified.
# shellcheck disable=SC2154 # $out and $err come from lib.sh
. "$(dirname "$0")/../lib.sh"

tensorguard keygen --type both --out k --no-passphrase >/dev/null || exit 1
tensorguard keygen --type both --out second --no-passphrase >/dev/null || exit 1
mkdir -p model/sub
echo text >model/sub/README.txt
head='{"weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"bias":{"dtype":"BF16","shape":[],"data_offsets":[24,26]}}'
# shellcheck disable=SC2059
{
	printf "\\x$(printf %x ${#head})\\0\\0\\0\\0\\0\\0\\0%s" "$head"
	head -c 26 /dev/zero
} >model/m.safetensors
tensorguard build --input-dir model --out p.tgsp --signing-key k/signing.priv --model-name perception \
	--recipient k/encryption.pub --recipient second/encryption.pub --rollback-index 3 \
	--target-fleet edge --delegate second/signing.pub >/dev/null || exit 1
id() { sed 's/.*"key_id":"\([0-9a-f]*\)".*/\1/' "$1"; }

ok 'needs no key at all' tensorguard inspect p.tgsp
has 'says that nothing has been verified' out 'NOT verified'
for text in perception 'rollback_index' edge "$(id k/signing.pub)" "$(id k/encryption.pub)" \
	"$(id second/encryption.pub)" "$(id second/signing.pub)" sub/README.txt m.safetensors safetensors \
	weight bias 'F32' 'BF16' '[2, 3]' header manifest recipients index padding ciphertext signature; do
	has "shows $text" out "$text"
done
is 'sections without a hole' "$(awk '
	/^sections/ { on = 1; next } !/^  [a-z]/ { on = 0 }
	on { if (NR > 1 && at && $2 != at && $2 != at + 4 && $2 != at + 8) print "hole before", $1; at = $2 + $3 }
	END { print at }' "$out")" "$(stat -c %s p.tgsp)"
ok 'all tensors' tensorguard inspect p.tgsp --tensors

if type node >/dev/null 2>&1; then
	ok 'as JSON' tensorguard inspect p.tgsp --json
	is 'one line' "$(wc -l <"$out")" 1
	is 'with its facts' "$(node -e '
		const o = JSON.parse(require("fs").readFileSync(0)), m = o.manifest;
		const s = o.sections, last = s[s.length - 1];
		console.log([o.verified, m.model_name, m.content_index.map(f => f.path + ":" + (f.format || "-") + ":" + f.size),
			m.tensors.map(t => t.name + ":" + t.dtype + ":" + t.size), o.recipients.length, o.signer === m.author_key_id,
			o.chunk_log2, o.chunks, last.offset + last.size].join())' <"$out")" \
		"false,perception,m.safetensors:safetensors:$(stat -c %s model/m.safetensors),sub/README.txt:txt:5,bias:BF16:2,weight:F32:24,2,true,16,1,$(stat -c %s p.tgsp)"
else
	skip 'no node to parse JSON with'
fi

# Only what a reader would take is shown at all.
head -c 5000 p.tgsp >cut.tgsp
exits 65 'a truncated package' tensorguard inspect cut.tgsp
is 'shows nothing' "$(cat "$out")" ''
exits 65 'no package' tensorguard inspect model/m.safetensors
exits 66 'nothing' tensorguard inspect absent.tgsp
exits 64 'a folder' tensorguard inspect model
exits 64 'no name' tensorguard inspect
exits 64 'two names' tensorguard inspect p.tgsp p.tgsp
cp p.tgsp forged.tgsp # another name of the same length: strict JSON all the same, and signed by nobody
LC_ALL=C sed -i 's/"model_name":"perception"/"model_name":"deceptions"/' forged.tgsp
ok 'a forged name is shown' tensorguard inspect forged.tgsp
has 'under the warning' out 'NOT verified'
exits 3 'that verify means' tensorguard verify forged.tgsp --trust k/signing.pub

# Names from outside cannot steer the terminal.
mkdir odd && : >"odd/$(printf 'C1-\302\2332J')"
if tensorguard build --input-dir odd --out odd.tgsp --signing-key k/signing.priv \
	--recipient k/encryption.pub >/dev/null 2>&1; then
	ok 'a C1 control in a path' tensorguard inspect odd.tgsp
	lacks 'is not printed' out "$(printf '\302\233')"
else
	pass 'a C1 control in a path is not packaged'
	pass 'so it cannot be printed'
fi
done_testing
