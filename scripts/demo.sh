#!/usr/bin/env bash
# Draws clips of three kinds with the ffmpeg tool, fits a small PP-TSN to some of
# them, exports it, and asks it what the others show.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=.cache/demo
mkdir -p "$dir" bin

draw() { # file, source, degrees by which its colours are turned
	[ -f "$1" ] && return
	ffmpeg -v error -y -f lavfi -i "$2" -t 3 -vf "hue=h=$3" -pix_fmt yuv420p "$dir/part.mp4" </dev/null
	mv "$dir/part.mp4" "$1"
}
life() { echo "life=s=320x240:r=25:mold=10:ratio=0.$((20 + $1 * 3)):seed=$1:life_color=#40ff40:death_color=#c83232"; }
gradients() { # colours are named, else they are random each time
	local from=(- red green navy purple brown blue) to=(- blue orange yellow cyan pink orange)
	echo "gradients=s=320x240:r=25:n=2:c0=${from[$1]}:c1=${to[$1]}:speed=0.02:seed=$1"
}
testcard() { echo "testsrc2=s=$((280 + $1 * 20))x240:r=25"; }

echo "== drawing clips" >&2
: >"$dir/train.list"
for n in 1 2 3 4 5 6; do
	class=0
	for kind in life gradients testcard; do
		file=$dir/$kind-$n.mp4
		draw "$file" "$($kind $n)" $((n * 20))
		[ "$n" -le 4 ] && echo "$file $class" >>"$dir/train.list"
		class=$((class + 1))
	done
done

echo "== building" >&2
go build -o bin/pptsn ./cmd/pptsn
go build -o "$dir/demo" ./demo

echo "== fitting a classifier to 12 of 18 clips" >&2
config=configs/demo/pptsn_demo.yaml
"$dir/demo" "$config" "$dir/train.list" "$dir/ppTSN.pdparams"

echo "== pptsn export" >&2
bin/pptsn export -c "$config" -p "$dir/ppTSN.pdparams" -o "$dir/ppTSN" --labels configs/demo/labels.txt

echo "== pptsn predict, on clips it has not seen" >&2
bin/pptsn predict -m "$dir/ppTSN" "$dir"/{life,gradients,testcard}-{5,6}.mp4
