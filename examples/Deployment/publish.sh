#!/usr/bin/env bash
# Publishes the example in each way that .NET has and runs it: fails when a publish warns, or when an answer differs by a bit.
# Native AOT needs a linker: clang, or gcc, which is taken where there is no clang.
#   ./publish.sh [FOLDER]      RUNS=n starts each n times (7) and prints the median; FORMS names some of them
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-$(mktemp -d)}
runs=${RUNS:-7}
linker=()
command -v clang > /dev/null || linker=(-p:CppCompilerAndLinker=gcc)
expected=

try() { # a form of Deployment.csproj
    local name=$1 line answer
    dotnet publish -c Release -p:Form="$name" -o "$out/$name" -v q -nologo -warnaserror "${linker[@]}"
    for ((i = 0; i < runs; i++)); do
        STARTED=$(date +%s%6N) "$out/$name/Deployment" "$out/lenet5.safetensors" --repeat > "$out/$name.$i.txt"
    done
    answer=$(head -qn 1 "$out"/"$name".*.txt | sort -u)
    expected=${expected:-$answer}
    [ "$answer" = "$expected" ] || { echo "$name: the answer is $answer, not $expected"; exit 1; }
    line=$(sed -n 2p "$out/$name.0.txt")
    echo "$name: first answer after $(for f in "$out/$name".*.txt; do sed -n 's/first answer after \([0-9]*\) ms.*/\1/p' "$f"; done | sort -n | sed -n "$((runs / 2 + 1))p") ms," \
        "vectors${line##*vectors}, $(for f in "$out/$name".*.txt; do sed -n 3p "$f"; done | sort -n | sed -n 1p), $(du -sh "$out/$name" | cut -f 1)"
}

for form in ${FORMS:-jit readytorun trimmed aot aot-native}; do
    try "$form"
done
echo "answers are equal to the bit"
