#!/bin/sh
# Fetches ONNX Runtime's CPU library for Linux (x86-64, arm64) from the npm
# package onnxruntime-node into .cache/onnxruntime/ of this checkout, where
# package ort looks for it. Does nothing if it is there already. Package and
# library are compared with the checksums below, so that a changed or cut
# download is never loaded. Needs npm and 300 MB of room while it runs.
#
# To move to another version: change it, then the three sums (sha512sum of
# what `npm pack` brings, and of the libraries in it).
set -eu

version=1.30.0
package=b7086cd42d82fc1164cf5c9ce4e634288536194aba0d444eee10f86f1e50d90cb79c0309c115d6f31537355733136f5503d96894b3987a9a03f1f8d318e7c8ab
x64=927fc128db9eedb9fae07dfa0574a4d53af91efa7e42c3192678910d32ae4fde46441c14fd42eaf0f925a2f71c1de4816d25720bd6c7579b60e56293cc862215
arm64=95be392538dfe3bd660207ebad503bcfbcbcd4e6162fb83d19f35d291a981560294914ce471d5251626122aff63cf201a215bb052d7cf5ea009fffcd57dbd366

say() { echo "fetch-onnxruntime: $*" >&2; }
die() { say "$*"; exit 1; }
matches() { [ -f "$1" ] && echo "$2  $1" | sha512sum --check --status; }

case "$(uname -s)-$(uname -m)" in
Linux-x86_64) arch=x64 sum=$x64 ;;
Linux-aarch64 | Linux-arm64) arch=arm64 sum=$arm64 ;;
*) die "no library for $(uname -s) on $(uname -m): build ONNX Runtime and set PPTSN_ONNXRUNTIME to its libonnxruntime" ;;
esac

dir=$(cd "$(dirname "$0")/.." && pwd)/.cache/onnxruntime
library=$dir/libonnxruntime.so.1
if matches "$library" "$sum"; then
	say "$library is there already (version $version)"
	exit 0
fi
command -v npm >/dev/null || die "npm is absent: install it (Debian: apt-get install npm) and run this again"

mkdir -p "$dir"
tmp=$(mktemp -d "$dir/fetch.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp"

say "fetching onnxruntime-node $version (108 MiB)"
npm pack --silent "onnxruntime-node@$version" >/dev/null || die "npm could not fetch onnxruntime-node@$version"
matches "onnxruntime-node-$version.tgz" "$package" || die "onnxruntime-node-$version.tgz is not the package whose checksum this script knows"
member=package/bin/napi-v6/linux/$arch/libonnxruntime.so.1
tar -xzf "onnxruntime-node-$version.tgz" "$member"
matches "$member" "$sum" || die "$member is not the library whose checksum this script knows"
mv -f "$member" "$library"
say "wrote $library (version $version)"
