#!/usr/bin/env bash
# Makes a small video data set with the ffmpeg tool, trains a small PP-TSN on it,
# tests it, exports it, and asks it what a clip shows that it has not seen.
# All files go to .cache/demo. Clips are kept for the next time. SEED=1 make demo
# trains from other random weights.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=.cache/demo
config=configs/demo/pptsn_demo.yaml
labels=configs/demo/labels.txt
mapfile -t kinds <$labels
train=24 val=5 # clips of each kind; one more is shown to the finished model

step() { echo "== $*" >&2; }

# draw FILE KIND SEED draws a moving, turning pattern in two colours that change.
# Place, size, angle, speeds, colours and noise follow from the seed alone: every
# run has the same clips, and colour says nothing about the kind.
draw() {
	local file=$1 part=${1%.mp4}.part.mp4 random=$3 r=() i
	[ "$file" -nt scripts/demo.sh ] && return # drawn by this version
	for i in {0..15}; do
		random=$(((random * 1103515245 + 12345) & 0x7fffffff))
		r[i]=$((random >> 16))
	done
	local x="(X-$((40 + r[0] % 48)))" y="(Y-$((30 + r[1] % 36)))" # from a centre, pixels
	local angle="($((r[2] % 360))*PI/180+$((r[12] % 13 - 6))*N/100)" per_pixel="2*PI/$((12 + r[3] % 14))"
	local moved="$((r[4] % 61 - 30))*N/100" # N is the number of the frame
	local along="$per_pixel*($x*cos($angle)+$y*sin($angle))+$moved"
	local across="$per_pixel*($y*cos($angle)-$x*sin($angle))+$moved"
	local source="color=s=128x96:r=12,format=gray,geq=lum=" shape
	case $2 in
	stripes) shape="3*sin($along)" ;;
	checkers) shape="6*sin($along)*sin($across)" ;;
	rays) shape="3*sin($((5 + r[5] % 4))*(atan2($y,$x)+$moved/4))" ;;
	ball) shape="$((12 + r[5] % 16))-hypot($x-20*sin($moved*2),$y-20*cos($moved+$angle))" ;;
	life) source="life=s=64x48:r=12:mold=0:ratio=0.$((25 + r[5] % 15)):seed=$3,scale=128:96:flags=neighbor" shape="" ;;
	*) echo "demo: no way to draw $2" >&2; return 1 ;;
	esac
	local colours="" c
	for i in 6 7 8; do # of red, green and blue: dark to bright or bright to dark
		c=("$((r[i] % 100))" "$((255 - r[i + 3] % 100))")
		[ $((r[i] & 4096)) -eq 0 ] && c=("${c[1]}" "${c[0]}")
		colours+=":${c[0]}+(${c[1]}-${c[0]})*val/255"
	done
	[ -n "$shape" ] && source+="'128+127*clip($shape,-1,1)'"
	ffmpeg -v error -y -threads 1 -f lavfi -i "$source" -frames:v 36 -threads 1 \
		-vf "format=gray,noise=alls=$((r[15] % 20)):allf=t:all_seed=$3,format=gbrp,lutrgb${colours/:/=},format=yuv420p,hue=h=$((r[13] % 21 - 10))*n" "$part" </dev/null
	mv "$part" "$file"
}
export -f draw

step "drawing clips of ${#kinds[@]} kinds: ${kinds[*]}"
mkdir -p "$dir/clips" bin
: >"$dir/train.list"
: >"$dir/val.list"
for label in "${!kinds[@]}"; do
	for n in $(seq $((train + val + 1))); do
		file=$dir/clips/${kinds[label]}-$n.mp4
		if [ "$n" -le $train ]; then
			echo "$file $label" >>"$dir/train.list"
		elif [ "$n" -le $((train + val)) ]; then
			echo "$file $label" >>"$dir/val.list"
		fi
		echo "$file ${kinds[label]} $((label * 100 + n))"
	done
done | xargs -P "$(nproc)" -L 1 bash -euc 'draw "$@"' draw

step "building pptsn"
go build -o bin/pptsn ./cmd/pptsn

step "checking that all clips are good"
bin/pptsn check -c $config --labels $labels --output "$dir/check"

step "training on $((${#kinds[@]} * train)) clips, validating on $((${#kinds[@]} * val))"
rm -rf "$dir/output" "$dir/model" "$dir/check"
bin/pptsn train -c $config --validate --seed "${SEED:-0}"
best=$dir/output/ppTSN_best.pdparams

step "testing the best weights: ten crops of 25 frames"
bin/pptsn test -c $config -w $best --labels $labels --output $dir/report

step "exporting them"
bin/pptsn export -c $config -p $best -o $dir/model --labels $labels

kind=ball
clip=$dir/clips/$kind-$((train + val + 1)).mp4
step "what does $clip show? It is in neither list"
answer=$(bin/pptsn predict -m $dir/model "$clip")
echo "$answer"
grep -q "name: $kind\$" <<<"$answer" || { echo "demo: it shows $kind" >&2; exit 1; }
