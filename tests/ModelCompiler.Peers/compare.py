#!/usr/bin/python3
"""Ours against ONNX Runtime and PyTorch: the same networks, weights and inputs on the same pinned core, one after another, again and again.

    ./install.sh                                   the peers (once)
    ./compare.py                                   inference, batch 1: time, ratio, start-up, memory, error
    ./compare.py --aot                             also published with Native AOT, which takes minutes: columns more
    ./compare.py --train                           training steps
    ./compare.py --networks resnet18,vgg16 --seconds 5 --rounds 5 --threads 2 --cores 0,1

Each round runs every side in a process of its own; the figure is the median of the rounds' medians, the ratio the median of the
rounds' ratios. Training starts from the same weights; both sides' losses and weights after five steps are compared with the same
steps of PyTorch in double precision, because two trainings in single precision drift apart as fast as either from the truth. Everything that is made lies in artifacts/peers at the root of the repository.
"""
import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "..", "..", "artifacts", "peers")
FOLDER = os.path.normpath(FOLDER)

# PyTorch at its best: wide kernels whatever the processor is called, and an allocator that keeps its pages.
BEST = {"OPENBLAS_CORETYPE": "SKYLAKEX", "ATEN_CPU_CAPABILITY": "avx512", "MALLOC_MMAP_THRESHOLD_": "4294967296",
        "MALLOC_TRIM_THRESHOLD_": "8589934592", "MALLOC_TOP_PAD_": "1073741824"}
PYTHON = "/usr/bin/python3"


def run(command, cores, **environment):
    """The line of JSON that a process prints."""
    started = str(time.time_ns() // 1000)
    done = subprocess.run(["taskset", "-c", cores, *command], capture_output=True, text=True, cwd=HERE,
                          env={**os.environ, "STARTED": started, "OMP_NUM_THREADS": environment.get("THREADS", "1"), **environment})
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def read(path):
    import numpy
    return numpy.fromfile(path, dtype=numpy.float32)


def error(path, reference):
    """Largest difference, in parts of the largest value."""
    import numpy
    a, b = read(path), read(reference)
    return float(numpy.abs(a - b).max() / numpy.abs(b).max()) if a.shape == b.shape and numpy.isfinite(a).all() else float("inf")


def distance(path, reference):
    """The farthest tensor of two files: the norm of the difference in parts of the norm."""
    from networks import load
    a, b = load(path), load(reference)
    if a.keys() != b.keys():
        raise RuntimeError(f"{path} and {reference} differ in {sorted(a.keys() ^ b.keys())}")
    return max(float((a[k] - b[k]).norm() / b[k].norm().clamp_min(1e-6)) for k in b)


PROJECT = os.path.join(HERE, "ModelCompiler.Peers.csproj")
JIT = [os.path.join(HERE, "bin", "Release", "net10.0", "ModelCompiler.Peers")]
AOT = [os.path.join(FOLDER, "aot", "ModelCompiler.Peers")]


def build():
    subprocess.run(["dotnet", "build", "-c", "Release", "-v", "q", "-nologo", PROJECT], check=True)


def publish(cpu):
    """One native file, for the widest vectors that the processor has; a warning of the analyzers is an error."""
    linker = [] if shutil.which("clang") else ["-p:CppCompilerAndLinker=gcc"]
    subprocess.run(["dotnet", "publish", "-c", "Release", "-v", "q", "-nologo", "-warnaserror", PROJECT, "-p:Form=aot", "-o", os.path.dirname(AOT[0]),
                    "-p:InstructionSet=" + ("x86-64-v4" if "avx512vl" in cpu.get("flags", "") else "x86-64-v3"), *linker], check=True)


def processor():
    """Of the first core: the fields that Linux tells of it."""
    with open("/proc/cpuinfo") as text:
        return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.read().split("\n\n")[0].splitlines())}


def median(rounds, side):
    return statistics.median(r[side]["median_ms"] for r in rounds)


def ratio(rounds, side):
    return statistics.median(r[side]["median_ms"] / r["ours"]["median_ms"] for r in rounds)


def export(names):
    missing = [n for n in names if not os.path.exists(os.path.join(FOLDER, n + ".onnx"))]
    if missing:
        subprocess.run([PYTHON, os.path.join(HERE, "networks.py"), FOLDER, *missing], check=True)


def inference(names, options):
    from networks import NETWORKS
    columns = ["network", "ONNX Runtime ms", "ours ms", "ratio", "best PyTorch ms", "ratio", "error (theirs)", "start to first result ms (theirs)", "create and first run ms (theirs)", "peak MB (theirs)"]
    columns += ["AOT ms", "AOT error", "AOT start to first result ms", "AOT create and first run ms", "AOT peak MB"] if options.aot else []
    print(f"| {' | '.join(columns)} |")
    print(f"| --- |{' --: |' * (len(columns) - 1)}", flush=True)
    for name in names:
        path = os.path.join(FOLDER, name)
        shape = ",".join(map(str, (1,) + NETWORKS[name][1]))
        rounds = []
        for _ in range(options.rounds):
            infer = lambda program, answer: run([*program, "infer", name, path + ".safetensors", path + ".in.f32", path + answer, str(options.threads), str(options.seconds)], options.cores)
            r = {"ours": infer(JIT, ".ours.f32")}
            if options.aot:
                r["aot"] = infer(AOT, ".aot.f32")
            r["ort"] = run(["node", "onnxruntime.js", FOLDER, name, str(options.threads), str(options.seconds)], options.cores, SHAPE=shape)
            rounds.append(r)
        torch = min(([run([PYTHON, "pytorch.py", "infer", FOLDER, name, str(options.threads), str(options.seconds), v], options.cores, **BEST)["median_ms"]
                      for v in ("eager", "channels_last", "jit")]), default=float("nan")) if options.pytorch else float("nan")
        middle = lambda key, side: statistics.median(r[side][key] for r in rounds)
        both = lambda key: f"{middle(key, 'ours'):.0f} ({middle(key, 'ort'):.0f})"
        mine = median(rounds, "ours")
        print(f"| {name} | {median(rounds, 'ort'):.4g} | {mine:.4g} | **{ratio(rounds, 'ort'):.2f}** | {torch:.4g} | {torch / mine:.2f} "
              f"| {error(path + '.ours.f32', path + '.out.f32'):.1e} ({error(path + '.onnxruntime.f32', path + '.out.f32'):.1e}) "
              f"| {both('start_to_first_ms')} | {both('create_and_first_ms')} | {both('peak_mb')} |"
              + (f" {median(rounds, 'aot'):.4g} | {error(path + '.aot.f32', path + '.out.f32'):.1e} | {middle('start_to_first_ms', 'aot'):.0f} "
                 f"| {middle('create_and_first_ms', 'aot'):.0f} | {middle('peak_mb', 'aot'):.0f} |" if options.aot else ""), flush=True)


def training(names, options):
    from networks import TRAINED
    print("| network, batch | best PyTorch ms | ours ms | ratio | losses from double (theirs) | weights from double (theirs) |")
    print("| --- | --: | --: | --: | --: | --: |", flush=True)
    for name in names:
        path, batch = os.path.join(FOLDER, name), TRAINED[name][0]
        peer = lambda variant: run([PYTHON, "pytorch.py", "train", FOLDER, name, str(options.threads), str(options.seconds), variant], options.cores, **BEST)
        reference, rounds = peer("double"), []
        for _ in range(options.rounds):
            r = {"ours": run([*JIT, "train", name + ("_steady" if name == "mobilenet_v2" else ""), path + ".safetensors", path + ".batch.f32", path + ".target.i32", str(batch),
                              str(options.threads), str(options.seconds), "5", path + ".ours-trained.safetensors"], options.cores)}
            r.update({variant: peer(variant) for variant in ("contiguous", "channels_last")})
            rounds.append(r)
        best = min(("contiguous", "channels_last"), key=lambda v: median(rounds, v))
        losses = lambda side: max(abs(a - b) / abs(b) for a, b in zip(rounds[0][side]["losses"], reference["losses"]))
        moved = lambda side: distance(f"{path}.{side}.safetensors", path + ".pytorch-double.safetensors")
        print(f"| {name}, {batch} | {median(rounds, best):.4g} ({best}) | {median(rounds, 'ours'):.4g} | **{ratio(rounds, best):.2f}** "
              f"| {losses('ours'):.1e} ({losses('contiguous'):.1e}) | {moved('ours-trained'):.1e} ({moved('pytorch-contiguous'):.1e}) |", flush=True)


def main():
    sys.path.insert(0, HERE)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", help="names with commas between; all without it")
    parser.add_argument("--seconds", type=int, default=3, help="of measuring in each process")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cores", default="0", help="for taskset")
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--no-pytorch", dest="pytorch", action="store_false", help="inference against ONNX Runtime alone")
    parser.add_argument("--aot", action="store_true", help="inference also by our program compiled ahead of time")
    parser.add_argument("--no-build", dest="build", action="store_false", help="run what is built already")
    options = parser.parse_args()
    if not os.path.exists(os.path.join(FOLDER, "node_modules", "onnxruntime-node")):
        sys.exit("ONNX Runtime is not there; run install.sh first")

    cpu = processor()
    if options.build:
        build()
        if options.aot and not options.train:
            publish(cpu)
    output = subprocess.run([PYTHON, "-c", "import networks; print(','.join(networks.NETWORKS)); print(','.join(networks.TRAINED))"], capture_output=True, text=True, cwd=HERE, check=True).stdout.split()
    known = output[1 if options.train else 0].split(",")
    names = options.networks.split(",") if options.networks else known
    for name in names:
        if name not in known:
            sys.exit(f"no network is called '{name}'; there are {', '.join(known)}")
    export(names)
    print(f"{datetime.date.today()}, {cpu.get('model name', platform.processor())}, cores {options.cores}, {options.threads} thread(s), {options.rounds} rounds of {options.seconds} s: "
          f"`compare.py {' '.join(sys.argv[1:])}`\n", flush=True)
    (training if options.train else inference)(names, options)


if __name__ == "__main__":
    main()
