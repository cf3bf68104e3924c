#!/usr/bin/env bash
# Installs what a target needs from Debian, and nothing that is there already.
#   setup.sh build   compilers and libraries that pptsn is built from
#   setup.sh torch   the same and libtorch, which trains (not where LIBTORCH is set)
#   setup.sh demo    the same and the ffmpeg tool, which makes the demo's clips
#   setup.sh test    the same and what the tests compare with
#   setup.sh bench   the same and the peers: PyTorch, and npm, which brings ONNX Runtime
set -euo pipefail

build=(gcc libc6-dev pkg-config libavformat-dev libavcodec-dev libavutil-dev libswscale-dev libjpeg62-turbo-dev libdnnl-dev)
torch=("${build[@]}" g++ libgloo-dev) # the headers of Gloo, which libtorch contains
[ -n "${LIBTORCH:-}" ] || torch+=(libtorch-dev)
demo=("${torch[@]}" ffmpeg)
test=("${demo[@]}" python3-numpy python3-pil iproute2) # ip makes hosts of network namespaces

case "${1:-}" in
build) want=("${build[@]}") ;;
torch) want=("${torch[@]}") ;;
demo) want=("${demo[@]}") ;;
test) want=("${test[@]}") ;;
bench)
	want=("${test[@]}" python3-torch)
	command -v npm >/dev/null || want+=(npm)
	;;
*) echo "usage: setup.sh build|torch|demo|test|bench" >&2; exit 2 ;;
esac

if ! command -v go >/dev/null; then
	echo "setup: the Go toolchain is missing: install Go 1.26 or newer (https://go.dev/dl) and put it on PATH" >&2
	exit 1
fi

missing=()
for package in "${want[@]}"; do
	dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
	root=(sudo)
fi
echo "setup: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
"${root[@]}" apt-get update -qq
"${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
