#!/usr/bin/env bash
# Builds the shim between pptsn and libtorch, .cache/torch/libpptsn_torch.so,
# against the libtorch in LIBTORCH (the folder that holds include/ and lib/, as
# in PyTorch's zip files and in the Python package's folder), or Debian's
# libtorch-dev. Does nothing if what is there is newer than its sources.
set -euo pipefail
cd "$(dirname "$0")/.."
out=.cache/torch/libpptsn_torch.so
note=.cache/torch/built-from
units=(torch/shim/*.cc)
sources=("${units[@]}" torch/shim/*.h torch/shim.h scripts/torch.sh)

die() { echo "torch: $*" >&2; exit 1; }

if [ -n "${LIBTORCH:-}" ]; then
	root=$(cd "$LIBTORCH" && pwd) || die "LIBTORCH=$LIBTORCH is no folder"
	[ -d "$root/include/ATen" ] || die "LIBTORCH=$LIBTORCH holds no include/ATen: want the folder libtorch of PyTorch's zip file, or .../site-packages/torch"
	include=(-I"$root/include" -I"$root/include/torch/csrc/api/include")
	link=(-L"$root/lib" -Wl,-rpath,"$root/lib")
	libs=$root/lib
else
	root=system
	[ -f /usr/include/ATen/ATen.h ] || die "no libtorch: install it (Debian: apt-get install libtorch-dev), or set LIBTORCH to a folder of your own"
	include=(-I/usr/include/torch/csrc/api/include)
	link=()
	libs=$(dirname "$(g++ -print-file-name=libtorch_cpu.so)")
fi

# Gloo and NCCL are part of libtorch; only headers are needed beside it, those of
# Gloo for the layout of nothing but pointers.
header() { for dir in "${include[@]#-I}" /usr/include; do [ -f "$dir/$1" ] && return 0; done; return 1; }
gloo=()
if header gloo/context.h; then gloo=(-DUSE_C10D_GLOO); fi
from="$root ${gloo[*]}"

fresh() {
	[ -f "$out" ] && [ "$(cat "$note" 2>/dev/null)" = "$from" ] || return 1
	for s in "${sources[@]}"; do [ "$out" -nt "$s" ] || return 1; done
	[ "$out" -nt "$libs/libtorch_cpu.so" ] || [ "$root" != system ]
}
fresh && exit 0

link+=(-ltorch -ltorch_cpu -lc10)
flags=()
# Below, grep reads all it is given: one that stops early (-q) would end the
# program before it, which counts as a failure of both.
if [ -f "$libs/libtorch_cuda.so" ]; then
	cuda=${CUDA_HOME:-/usr/local/cuda}
	pip=$(dirname "$root")/nvidia # where Python packages keep CUDA's headers
	for dir in "$cuda/include" "$pip"/*/include; do [ -d "$dir" ] && include+=(-I"$dir"); done
	flags+=(-DPT_WITH_CUDA)
	link+=(-Wl,--no-as-needed -ltorch_cuda -lc10_cuda -Wl,--as-needed)
	if header nccl.h && nm -DC "$libs/libtorch_cuda.so" | grep 'c10d::ProcessGroupNCCL::ProcessGroupNCCL' >/dev/null; then
		flags+=(-DUSE_C10D_NCCL)
	fi
fi
# Builds before 2.6 from Python's registry have strings of GCC's old ABI.
if nm -DC "$libs/libc10.so" | grep 'c10::Error::Error(.*std::string' >/dev/null; then
	flags+=(-D_GLIBCXX_USE_CXX11_ABI=0)
fi

# Loops use libtorch's threads where its OpenMP is the compiler's; a second
# OpenMP in the process would have threads of its own.
if readelf -d "$libs/libtorch_cpu.so" | grep 'NEEDED.*\[libgomp\.so\.1\]' >/dev/null; then
	flags+=(-fopenmp)
fi

mkdir -p "$(dirname "$out")"
tmp=$(mktemp "$out.XXXXXX")
trap 'rm -f "$tmp" "$tmp.log"' EXIT
compile() { g++ "$@" -O3 -fPIC -shared -fvisibility=hidden "${flags[@]}" "${include[@]}" -o "$tmp" "${units[@]}" "${link[@]}" 2>"$tmp.log"; }
echo "torch: building $out against $root${flags[*]:+ (${flags[*]})}" >&2
if [ ${#gloo[@]} -eq 0 ]; then
	echo "torch: without Gloo, which trains in several processes on CPUs: its headers are missing (Debian: libgloo-dev)" >&2
fi
without() { echo "torch: without Gloo, whose headers here do not fit this libtorch: $(grep -m1 error: "$tmp.log")" >&2; }
compile -std=c++17 "${gloo[@]}" || compile -std=c++20 "${gloo[@]}" ||
	{ [ ${#gloo[@]} -gt 0 ] && without && { compile -std=c++17 || compile -std=c++20; }; } || { cat "$tmp.log" >&2; die "the shim does not build against this libtorch (1.13 or newer is needed)"; }
chmod 755 "$tmp"
mv -f "$tmp" "$out"
echo "$from" >"$note"
