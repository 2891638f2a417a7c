#!/usr/bin/env bash
# Parity and throughput of the CUDA build on a machine with an NVIDIA GPU; docs/cuda.md has the background.
#
#   bench/gpu.sh build [ARCHIVE]
#       Where Rust is: builds with the feature `cuda` and packs what `run` needs into ARCHIVE
#       (target/gpu/pegbox-gpu.tar.xz). Needs neither a GPU nor the CUDA toolkit.
#   bench/gpu.sh run [ARCHIVE] [RESULTS]
#       Where the GPU is: needs bash, python3 and ARCHIVE; no Rust, no network. Without PyTorch and Transformers
#       only our side is measured. Prints a table in Markdown, and writes it and the raw figures as JSON into
#       RESULTS (default: $OUT, else ./gpu-results). Fails if parity does.
#
# Variables of `run`, with their defaults: DEVICE=cuda:0, PYTHON=python3, SHAPES="16x64 32x128 64x128" (rows x
# tokens of a batch), STEPS=40 a measurement, of which the first WARM_UP=15 do not count, ROUNDS=2,
# LIMIT=540 seconds after which no measurement is started, PRECISIONS="highest high" (PyTorch's float32 matrix
# products: in float32, and in TF32), THREADS=2 (on the CPU).
set -euo pipefail

main() {
    case "${1:-}" in
        build) shift; build "$@" ;;
        run) shift; run "$@" ;;
        *) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
    esac
}

build() {
    local root archive stage
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    archive=${1:-$root/target/gpu/pegbox-gpu.tar.xz}
    mkdir -p "$(dirname "$archive")"
    archive=$(cd "$(dirname "$archive")" && pwd)/$(basename "$archive")
    cd "$root"
    cargo build --release --package pegbox --package pegbox-models --features pegbox/cuda \
        --bin pegbox --example step --example parity

    stage=$(mktemp -d)
    # shellcheck disable=SC2064  # the folder as it is named now
    trap "rm -rf '$stage'" EXIT
    mkdir -p "$stage/bin" "$stage/tests" "$stage/bench/python"
    local target=${CARGO_TARGET_DIR:-target}/release
    for program in pegbox examples/step examples/parity; do
        strip -o "$stage/bin/$(basename "$program")" "$target/$program"
    done
    cp -R tests/parity "$stage/tests/parity"
    cp bench/gpu.sh "$stage/bench/"
    cp bench/python/torch_step.py bench/python/gpu_report.py "$stage/bench/python/"
    tar -C "$stage" -cf - . | xz -T0 >"$archive"
    echo "packed $(du -h "$archive" | cut -f1) into $archive"
}

run() {
    local here work bundle results python libraries
    here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    work=$(mktemp -d)
    # shellcheck disable=SC2064  # the folder as it is named now
    trap "rm -rf '$work'" EXIT
    python=${PYTHON:-python3}

    bundle=$here
    if [[ ! -x $here/bin/step ]]; then
        local archive=${1:-$here/target/gpu/pegbox-gpu.tar.xz}
        bundle=$work/bundle
        mkdir "$bundle"
        # Not every machine has xz; Python always does.
        tar -xJf "$archive" -C "$bundle" 2>/dev/null || "$python" -m tarfile -e "$archive" "$bundle"
        chmod +x "$bundle"/bin/*
    fi
    results=${2:-${OUT:-gpu-results}}
    mkdir -p "$results"
    results=$(cd "$results" && pwd)
    local figures=$results/throughput.jsonl
    : >"$figures"

    local device=${DEVICE:-cuda:0} deadline=$((SECONDS + ${LIMIT:-540})) parity=0
    describe_machine "$python" >"$results/machine.txt"
    cat "$results/machine.txt"
    libraries=${LD_LIBRARY_PATH:-}
    [[ $device == cpu ]] || find_cuda "$python" "$work/cuda"

    echo "parity on $device"
    LD_LIBRARY_PATH=$libraries timeout "${LIMIT:-540}" "$bundle/bin/parity" "$device" "$bundle/tests/parity" >"$results/parity.json" || parity=$?

    local precisions=${PRECISIONS:-highest high} has_torch=1 round shape precision
    [[ $device == cpu ]] && precisions=highest
    if ! "$python" -c 'import torch, transformers' 2>/dev/null; then
        echo "PyTorch or Transformers is missing: only our side is measured" >&2
        has_torch=
    fi
    for round in $(seq "${ROUNDS:-2}"); do
        for shape in ${SHAPES:-16x64 32x128 64x128}; do
            local sizes=("${shape%x*}" "${shape#*x}" "${STEPS:-40}")
            measure "$figures" pegbox "$round" "$shape" "$deadline" \
                env "LD_LIBRARY_PATH=$libraries" "$bundle/bin/step" "${sizes[@]}" "$device"
            [[ $has_torch ]] || continue
            for precision in $precisions; do
                measure "$figures" "torch-$precision" "$round" "$shape" "$deadline" \
                    "$python" "$bundle/bench/python/torch_step.py" "${sizes[@]}" "${THREADS:-2}" "$device" "$precision"
            done
        done
    done
    "$python" "$bundle/bench/python/gpu_report.py" "$results" "${WARM_UP:-15}"
    return "$parity"
}

# Runs a program that prints one JSON line and appends that line to a file, with who it was and when; a failure is
# reported and not fatal, so that the other figures are not lost.
measure() {
    local figures=$1 who=$2 round=$3 shape=$4 deadline=$5 line left
    shift 5
    left=$((deadline - SECONDS))
    if ((left <= 0)); then
        echo "out of time: skipped $who $shape" >&2
        return
    fi
    echo "round $round: $who $shape"
    if line=$(timeout "$left" "$@"); then
        printf '{"who": "%s", "round": %d, "result": %s}\n' "$who" "$round" "$line" >>"$figures"
    else
        echo "failed: $who $shape: $*" >&2
    fi
}

describe_machine() {
    date -u +%Y-%m-%d
    uname -sm
    grep -m1 'model name' /proc/cpuinfo | sed 's/.*: //' || true
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null || echo "no nvidia-smi"
    "$1" -c 'import torch; print("PyTorch", torch.__version__)' 2>/dev/null || true
    "$1" -c 'import transformers; print("Transformers", transformers.__version__)' 2>/dev/null || true
}

# Burn opens libnvrtc by name and looks for CUDA's headers under CUDA_PATH or in a usual place. Where there is no
# toolkit, NVIDIA's Python packages have both; their headers are linked together in $2. Sets CUDA_PATH if need be,
# and `libraries`, which is not exported: PyTorch finds its own.
find_cuda() {
    local python=$1 merged=$2 folder folders packages
    packages=$("$python" - <<'PYTHON'
import glob, os, site, sys
roots = {p for p in [*site.getsitepackages(), site.getusersitepackages(), *sys.path] if os.path.isdir(p)}
for root in sorted(roots):
    for include in sorted(glob.glob(os.path.join(root, "nvidia", "*", "include"))):
        print("include", include)
    for library in sorted(glob.glob(os.path.join(root, "nvidia", "*", "lib", "libnvrtc.so*"))):
        print("library", os.path.dirname(library))
PYTHON
)
    folders=/usr/local/cuda/lib64:/opt/cuda/lib64
    [[ -n ${CUDA_PATH:-} ]] && folders=$CUDA_PATH/lib64:$CUDA_PATH/lib:$folders
    while read -r folder; do
        [[ -n $folder ]] && folders=$folders:$folder
    done < <(sed -n 's/^library //p' <<<"$packages" | sort -u)
    libraries=${libraries:+$libraries:}$folders

    if [[ -z ${CUDA_PATH:-} && ! -d /usr/local/cuda/include && ! -d /opt/cuda/include ]]; then
        mkdir -p "$merged/include"
        while read -r folder; do
            cp -Rsn "$folder/." "$merged/include/" 2>/dev/null || true
        done < <(sed -n 's/^include //p' <<<"$packages")
        export CUDA_PATH=$merged
    fi
    echo "CUDA's headers: ${CUDA_PATH:-a usual place}; libraries: $libraries"
}

main "$@"
