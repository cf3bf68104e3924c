#!/usr/bin/env bash
# Checks training and inference on a GPU and measures them beside PyTorch:
# builds the shim to libtorch, runs the executor's suite in each precision,
# gradients, optimisers and parity on the device, then a training step of
# ResNet50-vd in bfloat16 on both sides, and videos a second of its inference
# in each precision, with CUDA graphs and without, eager and torch.compile.
#
#   scripts/gpu.sh         all of it; the report goes to stdout and to $OUT/gpu.txt
#   scripts/gpu.sh pack    bin/gpu: the tests as programs, for a machine without Go
#
# DEVICE=cpu       does the same on the processor, smaller (default: cuda)
# LIBTORCH=folder  libtorch; default: that of Python's package, else the system's
# PYTHON=program   a Python that has torch; default: python3, /usr/bin/python3
# CLIPS, STEPS     of a training step or a call; how many are measured
# SIDE             of the pictures for inference, in pixels (default: 224)
# ONLY=tests|throughput|inference
set -uo pipefail
cd "$(dirname "$0")/.."

device=${DEVICE:-cuda}
packed=bin/gpu

die() { echo "gpu: $*" >&2; exit 1; }

# pack builds the tests, and empty libraries in the place of those that package
# train links to for decoding and inference: its tests here call neither, and
# functions are bound only when they are called.
pack() {
	command -v go >/dev/null || die "go is missing: the tests are packed on a machine that can build pptsn"
	rm -rf "$packed" && mkdir -p "$packed/stubs" || die "cannot make $packed"
	for p in torch optim train; do
		go test -c -ldflags='-s -w' -o "$packed/$p.test" "./$p" || die "package $p does not build"
	done
	local needed
	needed=$(for p in torch optim train; do readelf -d "$packed/$p.test"; done | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sort -u)
	for lib in $needed; do
		case $lib in libc.so* | libm.so* | libdl.so* | libpthread.so* | libresolv.so* | librt.so* | ld-linux*) continue ;; esac
		echo | gcc -shared -x c - -Wl,-soname,"$lib" -o "$packed/stubs/$lib" || die "no stub of $lib"
	done
	echo "gpu: $packed holds the tests; carry it and scripts/, torch/, optim/testdata, train/testdata, bench/testdata along" >&2
}

# has_torch says whether a Python can use PyTorch. Elsewhere than here, where it
# would take the folder torch for it.
has_torch() { command -v "$1" >/dev/null && (cd / && "$1" -c 'import torch; torch.zeros(1)') 2>/dev/null; }

# look finds what there is and says what is missing, before anything is done.
look() {
	python=""
	for p in ${PYTHON:-python3 /usr/bin/python3}; do
		if has_torch "$p"; then python=$p; break; fi
	done
	[ -n "$python" ] || echo "gpu: no Python with torch (PYTHON=program): no throughput beside PyTorch" >&2
	if [ -z "${LIBTORCH:-}" ] && [ -n "$python" ]; then
		local folder
		folder=$(cd / && "$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))')
		case $folder in
		/usr/lib/python3/dist-packages/*) ;; # Debian's: the system's libtorch
		*) if [ -d "$folder/include/ATen" ]; then export LIBTORCH=$folder; fi ;;
		esac
	fi
	if [ -z "${LIBTORCH:-}" ] && [ ! -f /usr/include/ATen/ATen.h ]; then
		die "no libtorch: set LIBTORCH to its folder (that of PyTorch's zip file, or .../site-packages/torch), or PYTHON to a Python that has torch"
	fi
	command -v g++ >/dev/null || die "g++ is missing: the shim to libtorch is built with it"
	if [ -x "$packed/torch.test" ]; then
		go=""
		echo "gpu: tests from $packed; remove it to build them here"
	elif command -v go >/dev/null; then
		go=go
	else
		die "neither go nor $packed is here: run scripts/gpu.sh pack on a machine that builds pptsn, and carry bin/ along"
	fi
	if [ "$device" = cuda ]; then
		if command -v nvidia-smi >/dev/null; then
			nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || die "nvidia-smi finds no GPU: DEVICE=cpu does without"
		else
			echo "gpu: no nvidia-smi" >&2
		fi
	elif [ "$device" != cpu ]; then
		die "DEVICE=$device: want cuda or cpu"
	fi
	if [ -z "${PPTSN_PARITY:-}${PPTSN_SHARED:-}" ] && [ ! -d ../shared/parity ] && [ -d shared/parity ]; then
		export PPTSN_PARITY=$PWD/shared/parity
	fi
	if [ -z "${PPTSN_PARITY:-}${PPTSN_SHARED:-}" ] && [ ! -d ../shared/parity ]; then
		echo "gpu: no parity kit (PPTSN_PARITY=folder): its tests are left out" >&2
	fi
	echo "device $device; libtorch ${LIBTORCH:-of the system}; python ${python:-none}; $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2-), $(nproc) threads"
}

# tests PACKAGE ARGUMENTS runs a package's test program with those arguments.
tests() {
	local package=$1
	shift
	if [ -n "$go" ]; then
		"$go" test "./$package" -timeout 30m -count 1 "${@/#-test./-}"
	else
		stand_in "$PWD/$packed/$package.test"
		(cd "$package" && LD_LIBRARY_PATH=$stood_in${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$OLDPWD/$packed/$package.test" -test.timeout 30m "$@")
	fi
}

# stand_in makes a folder of the empty libraries that a program needs here:
# those that are there are not replaced, for libtorch may need them in earnest.
stand_in() {
	stood_in=$PWD/.cache/stubs
	rm -rf "$stood_in" && mkdir -p "$stood_in"
	for lib in $(ldd "$1" | awk '/not found/ {print $1}'); do
		[ -e "$packed/stubs/$lib" ] || { echo "gpu: $1 needs $lib, which is not here" >&2; continue; }
		ln -s "$PWD/$packed/stubs/$lib" "$stood_in/$lib"
	done
}

# part TITLE COMMAND... reports a part and remembers if it failed.
part() {
	local title=$1 start=$SECONDS
	shift
	echo
	echo "== $title"
	if "$@"; then echo "== ok after $((SECONDS - start)) s"; else
		echo "== FAILED after $((SECONDS - start)) s"
		failed+=("$title")
	fi
}

peer() { "$python" train/testdata/throughput.py "$device" "$clips" "$steps"; }
inference_peer() { "$python" bench/testdata/infer.py "$device" "$clips" "$steps" "${SIDE:-224}"; }

# sizes sets clips and steps to what was asked for, else to those of the device.
sizes() {
	clips=${CLIPS:-$([ "$device" = cuda ] && echo "$1" || echo "$3")}
	steps=${STEPS:-$([ "$device" = cuda ] && echo "$2" || echo 2)}
	export PPTSN_BENCH_CLIPS=$clips
}

report() {
	failed=()
	look || return 1
	scripts/torch.sh || die "the shim does not build: the report ends here"
	export PPTSN_TORCH=$PWD/.cache/torch/libpptsn_torch.so PPTSN_TORCH_DEVICE=$device
	# Threads that spin while they wait take the cores from all others.
	export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
	if [ "${ONLY:-tests}" = tests ]; then
		# Convolutions in float32 are compared as such: no TF32.
		export NVIDIA_TF32_OVERRIDE=0
		part "executor's suite, gradients, scopes" tests torch -test.run .
		part "optimisers" tests optim -test.run .
		part "parity and learning" tests train -test.run 'Parity|Learn|Accumul|Statistics|Scale|Weights' -test.v
		unset NVIDIA_TF32_OVERRIDE
	fi
	if [ "${ONLY:-throughput}" = throughput ]; then
		sizes 32 30 2
		part "ours: ResNet50-vd, $clips clips of 3 views, bf16, channels last" tests train -test.run '^$' -test.bench Learner -test.benchtime "${steps}x"
		if [ -n "$python" ]; then
			part "PyTorch eager: the same" peer
		fi
	fi
	if [ "${ONLY:-inference}" = inference ]; then
		sizes 8 100 1
		export PPTSN_BENCH_SIDE=${SIDE:-224}
		part "ours: inference of ResNet50-vd, $clips clips of 8 views a call, $PPTSN_BENCH_SIDE pixels" \
			tests torch -test.run '^$' -test.bench Inference -test.benchtime "${steps}x"
		if [ -n "$python" ]; then
			part "PyTorch: the same" inference_peer
		fi
	fi
	echo
	if [ ${#failed[@]} -gt 0 ]; then
		echo "FAILED: $(printf '%s; ' "${failed[@]}")"
		return 1
	fi
	echo "all parts passed on $device"
}

case "${1:-}" in
pack) pack ;;
"")
	if [ -n "${OUT:-}" ]; then
		mkdir -p "$OUT" || die "OUT=$OUT cannot be made"
		report 2>&1 | tee "$OUT/gpu.txt"
	else
		report
	fi
	;;
*) die "usage: scripts/gpu.sh [pack]" ;;
esac
