#!/bin/bash
# open --tensor: one tensor out of a package, byte by byte, from the chunks it lies in and no others.
# shellcheck disable=SC2317 # functions are called through ok and exits
. "$(dirname "$0")/../lib.sh"

ok 'keys' tensorguard keygen --type both --no-passphrase --out keys
ok "somebody else's" tensorguard keygen --type encryption --no-passphrase --out other

# ---- a safetensors file, made by hand ----

le() { # BYTES NUMBER: little-endian
	local n=$2 i
	for ((i = 0; i < $1; i++)); do
		# shellcheck disable=SC2059
		printf "\\x$(printf %02x $((n & 255)))"
		n=$((n >> 8))
	done
}
# name dtype shape bytes NumPy-type ("-": none), in the file's order; "large" lies in five chunks
tensors() {
	cat <<-'T'
		bool BOOL 5 5 |b1
		u8 U8 3,2 6 |u1
		i8 I8 4 4 |i1
		i16 I16 2,1,2 8 <i2
		u16 U16 2 4 <u2
		half F16 7 14 <f2
		brain BF16 4,4 32 -
		tiny F8_E4M3 9 9 -
		large F32 70,1000 280000 <f4
		i32 I32 3 12 <i4
		u32 U32 1 4 <u4
		double F64 2,2 32 <f8
		i64 I64 2 16 <i8
		u64 U64 2 16 <u8
		scalar F32 - 4 <f4
		nothing F32 0,4 0 <f4
		layer.0/weight:ä F32 6 24 <f4
	T
}
mkdir model data
header='{"__metadata__":{"format":"pt"}' at=0
while read -r name dtype shape bytes _; do
	[ "$shape" != - ] || shape=
	header+=",\"$name\":{\"dtype\":\"$dtype\",\"shape\":[$shape],\"data_offsets\":[$at,$((at + bytes))]}"
	head -c "$bytes" /dev/urandom >"data/${name//\//_}"
	cat "data/${name//\//_}" >>body
	at=$((at + bytes))
done < <(tensors)
header+='}'
{
	le 8 ${#header}
	printf %s "$header"
	cat body
} >model/m.safetensors
head -c 300000 /dev/urandom >model/z.bin # four more chunks, with no tensor in them
ok 'a package' tensorguard build --input-dir model --out p.tgsp --signing-key keys/signing.priv \
	--model-name m --rollback-index 2
has 'of all its tensors' out "$(tensors | wc -l) tensors"

# What NumPy would have written.
npy() { # NAME DTYPE SHAPE
	local shape=$3 dict
	case $shape in
	-) shape= ;;
	*,*) shape=${shape//,/, } ;;
	*) shape=$shape, ;;
	esac
	dict="{'descr': '$2', 'fortran_order': False, 'shape': ($shape), }"
	while [ $(((10 + ${#dict} + 1) % 64)) -ne 0 ]; do dict+=' '; done
	printf '\x93NUMPY\x01\x00'
	le 2 $((${#dict} + 1))
	printf '%s\n' "$dict"
	cat "data/${1//\//_}"
}
tensor() { # NAME OUT OPTION...
	tensorguard open p.tgsp --key keys/encryption.priv --trust keys/signing.pub --tensor "$1" --out "$2" \
		"${@:3}"
}

# ---- every type, with NumPy's header and without ----

while read -r name dtype shape bytes descr; do
	file=data/${name//\//_}
	rm -f out.npy out.raw
	if [ "$descr" = - ]; then
		exits 69 "$dtype: NumPy has no such type" tensor "$name" out.npy
		has "$dtype: it says what helps" err --raw
		exits 69 "$dtype: not to a pipe either" tensor "$name" -
		is "$dtype: of which there is nothing" "$(wc -c <"$out")" 0
		ok "$dtype: nothing is left of it" test ! -e out.npy
	else
		ok "$dtype: $name as .npy" tensor "$name" out.npy
		same "$dtype: exactly what NumPy writes" out.npy <(npy "$name" "$descr" "$shape")
		is "$dtype: its mode" "$(stat -c %a out.npy)" 644
	fi
	ok "$dtype: $name as it is" tensor "$name" out.raw --raw
	same "$dtype: all $bytes bytes of it" out.raw "$file"
done < <(tensors)
ok 'to a pipe' bash -o pipefail -c 'tensorguard open p.tgsp --key keys/encryption.priv \
	--trust keys/signing.pub --tensor double --out - | cat >piped.npy'
same 'the same bytes' piped.npy <(npy double '<f8' 2,2)
ok 'a large one to a pipe' bash -o pipefail -c 'tensorguard open p.tgsp --key keys/encryption.priv \
	--trust keys/signing.pub --tensor large --out - --raw --threads 2 | cat >piped'
same 'in the right order' piped data/large

# ---- what is there already, and what is not ----

echo old >there
exits 5 'an existing file is kept' tensor double there
is 'as it was' "$(cat there)" old
ln -s there link
exits 5 'a link too' tensor double link
ok 'unless --force' tensor double there --force
same 'which replaces it' there <(npy double '<f8' 2,2)
echo old >there
ok 'a link is replaced, not followed' tensor double link --force
is 'what it led to is untouched' "$(cat there) $(stat -c %F link)" 'old regular file'
exits 66 'an unknown tensor' tensor nobody out2
has 'it says where to look' err 'inspect --tensors'
for name in '' Double 'double ' 'large.' layer; do exits 66 "no tensor '$name'" tensor "$name" out2; done
exits 66 'no folder for it' tensor double absent/out
exits 4 'with a key it is not for' tensorguard open p.tgsp --key other/encryption.priv \
	--trust keys/signing.pub --tensor double --out out2
exits 64 'without --out' tensorguard open p.tgsp --key keys/encryption.priv --trust keys/signing.pub --tensor double
exits 64 'with --tar' tensor double out2 --tar
exits 64 'with --file' tensor double out2 --file z.bin x
exits 64 '--raw without --tensor' tensorguard open p.tgsp --key keys/encryption.priv \
	--trust keys/signing.pub --out out2 --raw
ok 'nothing came of these' test ! -e out2
is 'no temporary names' "$(find . -name '.*' ! -name .)" ''

# ---- which chunks are read ----

ct=$(tensorguard inspect p.tgsp | awk '$1 == "ciphertext" { print $2 }')
plain=$(tensorguard inspect p.tgsp | awk '$1 == "ciphertext" { print $3 }')
chunks=$(tensorguard inspect p.tgsp | awk '$2 == "chunks" { print $1 }')
start=$((8 + ${#header})) # of the data, in the first file
place() { # NAME: first and last chunk
	tensors | awk -v n="$1" -v at="$start" '
		$1 == n { print int(at / 65536), int((at + $4 - 1) / 65536) }
		{ at += $4 }'
}
is 'the package has nine chunks' "$chunks" 9
is 'the large tensor lies in five of them' "$(place large)" '0 4'
break_chunk() { # CHUNK: a copy with one bit of it flipped, in b.tgsp
	local pos=$((ct + $1 * 65536 + 77)) byte
	cp p.tgsp b.tgsp
	byte=$(od -An -tu1 -j "$pos" -N 1 p.tgsp)
	le 1 $((byte ^ 4)) | dd of=b.tgsp bs=1 seek="$pos" conv=notrunc status=none
}
broken() { # NAME OUT OPTION...: out of the broken copy
	tensorguard open b.tgsp --key keys/encryption.priv --trust keys/signing.pub --tensor "$1" --out "$2" \
		"${@:3}"
}
for ((i = 0; i < chunks; i++)); do
	break_chunk $i
	exits 3 "chunk $i broken: the package is refused" tensorguard open b.tgsp \
		--key keys/encryption.priv --trust keys/signing.pub --out whole
	for name in bool large i64; do
		read -r first last < <(place $name)
		rm -f part
		if [ $i -ge "$first" ] && [ $i -le "$last" ]; then
			exits 3 "chunk $i broken: $name lies in it" broken $name part --raw
			ok "chunk $i broken: nothing of $name" test ! -e part
		else
			ok "chunk $i broken: $name opens all the same" broken $name part --raw
			same "chunk $i broken: all of $name" part data/$name
		fi
	done
done
ok 'nothing of the broken packages' test ! -e whole
break_chunk 3
exits 3 'the end of a tensor is broken, to a pipe' broken large - --raw --threads 1
ok 'what came before is the beginning of it' cmp -n "$(wc -c <"$out")" "$out" data/large

# A part says nothing about the rest of the package: the floor stays where it was.
mkdir state
break_chunk 8
exits 3 'with a state all of it is verified' broken bool floor.raw --raw --state state
is 'and the floor does not rise' "$(ls -A state)" ''
ok 'and nothing is written' test ! -e floor.raw
exits 3 'nor to a pipe' broken bool - --raw --state state
is 'not a byte' "$(wc -c <"$out")" 0
exits 3 'the same for a file' tensorguard open b.tgsp --key keys/encryption.priv --trust keys/signing.pub \
	--file m.safetensors floor.raw --state state
ok 'of which there is nothing' test ! -e floor.raw
is 'and still no floor' "$(ls -A state)" ''
ok 'a sound package raises it' tensor bool floor2.raw --raw --state state
has 'to its index' state/rollback.json '"index":2'

# Where strace is: the reads themselves.
if command -v strace >/dev/null && strace -o trace true 2>/dev/null; then
	reads() { # NAME: the chunks of the ciphertext that are read
		rm -f part
		ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -o trace -e trace=pread64 tensorguard open p.tgsp \
			--key keys/encryption.priv --trust keys/signing.pub --tensor "$1" --out part --raw \
			--threads 2 >"$out" 2>"$err" </dev/null
		sed -n 's/.*pread64.*, \([0-9]*\), \([0-9]*\)) *= .*/\1 \2/p' trace |
			awk -v ct="$ct" -v end=$((ct + plain)) '$2 >= ct && $2 < end {
				for (c = int(($2 - ct) / 65536); c * 65536 < $2 - ct + $1; c++) print c }' |
			sort -nu | xargs
	}
	read -r first last < <(place i64)
	is 'reads of a small tensor: its chunk alone' "$(reads i64)" "$(seq "$first" "$last" | xargs)"
	is 'reads of the large tensor: five chunks' "$(reads large)" '0 1 2 3 4'
	is 'reads of an empty tensor: none' "$(reads nothing)" ''
fi
done_testing
