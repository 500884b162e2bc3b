#!/usr/bin/env python3
"""Measures logtally side by side with wc, ripgrep and mtail, and running, and writes benches/RESULTS.md.

compare.py BINARY FOLDER [BYTES]: corpora go to FOLDER. The commands take turns, so that a busy moment of the machine
hits all of them; each figure is the median of its rounds, as CPU time (user and system) in seconds per gigabyte.
"""
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

import instructions

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS = 5
MTAIL_BYTES = 10_000_000
WORDS = ["upload", "mailer", "tenant", "ledger", "webhook", "replica", "billing", "gateway", "snapshot"]


def rules(folder, patterns):
    """Rule files with none, with these patterns and with ten times as many."""
    def write(name, rules):
        path = folder / name
        text = "".join(f"  - {{name: r{n}, match: {json.dumps(rule)}}}\n" for n, rule in enumerate(rules))
        path.write_text(f"group: bench\nrules:\n{text}" if rules else "rules: []\n")
        return path
    more = [f"{word}-{n}: (?:{rule})" for word in WORDS for n, rule in enumerate(patterns)]
    return write("rules0.yml", []), write("rules20.yml", patterns), write("rules200.yml", patterns + more)


def corpus(folder, form, size):
    path = folder / f"{form}-{size}.log"
    if not path.exists():
        subprocess.run([sys.executable, HERE / "corpus.py", form, str(size), path], check=True)
    return path


def mtail(folder, patterns, log):
    program = folder / "bench.mtail"
    escaped = [pattern.replace("/", "\\/") for pattern in patterns]
    program.write_text("counter hits by rule\n" + "".join(f'/{p}/ {{\n  hits["r{n}"]++\n}}\n' for n, p in enumerate(escaped)))
    return ["mtail", "--progs", program, "--logs", log, "--one_shot", "--logtostderr", "--poll_interval", "10ms"]


def measure(command):
    """CPU seconds, wall seconds and peak memory in MB of one run."""
    start = time.monotonic()
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{command[0]} failed with {child.returncode}: {' '.join(map(str, command))}")
    return used.ru_utime + used.ru_stime, time.monotonic() - start, used.ru_maxrss / 1000


def runs(binary, folder, size, patterns):
    """Each measurement: its name, its command and the bytes that it reads."""
    none, some, many = rules(folder, patterns)
    patterns_file = folder / "patterns.txt"
    patterns_file.write_text("".join(f"{pattern}\n" for pattern in patterns))
    logs = {form: corpus(folder, form, size) for form in ["python", "json", "logfmt"]}
    count = [binary, "count", "--output", "json"]
    plain = logs["python"]
    out = [
        ("wc -l", ["wc", "-l", plain], size),
        ("rg -c", ["rg", "-c", "-f", patterns_file, plain], size),
        ("0 rules, 1 thread", [*count, "--threads", "1", "-c", none, plain], size),
        ("20 rules, 1 thread", [*count, "--threads", "1", "--rules", some, plain], size),
        ("20 rules, 2 threads", [*count, "--threads", "2", "--rules", some, plain], size),
        ("200 rules, 1 thread", [*count, "--threads", "1", "--rules", many, plain], size),
        ("20 rules, JSON", [*count, "--threads", "1", "--rules", some, logs["json"]], size),
        ("20 rules, logfmt", [*count, "--threads", "1", "--rules", some, logs["logfmt"]], size),
    ]
    if shutil.which("mtail"):
        small = corpus(folder, "python", MTAIL_BYTES)
        out.append(("mtail", mtail(folder, patterns, small), MTAIL_BYTES))
    return [run for run in out if shutil.which(str(run[1][0]))]


def table(measured):
    def cpu(name):
        return measured[name][0]
    wanted = [
        ("20 rules, CPU time", "20 rules, 1 thread", 0, "rg -c", 0.6, "at most"),
        ("20 rules on two cores, wall time", "20 rules, 2 threads", 1, "rg -c", 0.35, "at most"),
        ("20 rules, CPU time", "20 rules, 1 thread", 0, "wc -l", 12, "at most"),
        ("levels alone, CPU time", "0 rules, 1 thread", 0, "wc -l", 4, "at most"),
        ("200 rules, CPU time", "200 rules, 1 thread", 0, "20 rules, 1 thread", 2, "at most"),
        ("JSON, CPU time", "20 rules, JSON", 0, "20 rules, 1 thread", 2, "at most"),
        ("logfmt, CPU time", "20 rules, logfmt", 0, "20 rules, 1 thread", 2, "at most"),
        ("mtail, CPU time", "mtail", 0, "20 rules, 1 thread", 150, "at least"),
    ]
    rows = []
    for what, name, which, against, bound, sense in wanted:
        if name in measured and against in measured:
            ratio = measured[name][which] / measured[against][which]
            good = ratio <= bound if sense == "at most" else ratio >= bound
            rows.append(f"| {what} | {against} | {ratio:.2f} | {sense} {bound} | {'yes' if good else 'no'} |")
    return rows


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def version(tool):
    done = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()[0]


def main():
    binary, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    size = int(float(sys.argv[3])) if len(sys.argv) > 3 else 1_000_000_000
    folder.mkdir(parents=True, exist_ok=True)
    patterns = (HERE / "patterns.txt").read_text().split("\n")[:-1]
    commands = runs(binary, folder, size, patterns)
    samples = {name: [] for name, _, _ in commands}
    load = os.getloadavg()[0]
    for turn in range(ROUNDS):
        for name, command, read in commands:
            if name == "mtail" and turn >= 3:
                continue
            cpu, wall, peak = measure(command)
            samples[name].append((cpu * 1e9 / read, wall * 1e9 / read, peak))
        print(f"round {turn + 1} of {ROUNDS}", file=sys.stderr)
    measured = {n: tuple(statistics.median(column) for column in zip(*s)) for n, s in samples.items()}
    lines = [
        "# Side by side",
        "",
        f"Written by `make bench` on {datetime.date.today()}: {processor()}, {os.cpu_count()} cores, "
        f"Linux {platform.release()}; load {load:.1f} before and {os.getloadavg()[0]:.1f} after. {version('rg')}.",
        f"Corpora of {size / 1e6:.0f} MB (`benches/corpus.py`; mtail {MTAIL_BYTES / 1e6:.0f} MB), the rules of "
        f"`benches/patterns.txt`, page cache warm. Medians of {ROUNDS} rounds (mtail 3) in turn; seconds per gigabyte.",
        "",
        "| run | CPU s/GB | wall s/GB | peak MB | command |",
        "|---|---|---|---|---|",
    ]
    names = {str(binary): "logtally", str(folder): "."}
    for name, command, _ in commands:
        text = " ".join(map(str, command))
        for long, short in names.items():
            text = text.replace(long, short)
        cpu, wall, peak = measured[name]
        lines.append(f"| {name} | {cpu:.3f} | {wall:.3f} | {peak:.0f} | `{text}` |")
    lines += ["", "| what | against | ratio | wanted | holds |", "|---|---|---|---|---|", *table(measured), ""]
    # Only now: a child's peak memory is at least that of the Python that starts it.
    import follow, idle, scrape  # noqa: E401, PLC0415
    lines += ["## The running exporter", ""]
    for part in (follow.table(binary, 20_000, 20), scrape.table(binary, 100_000, 40), idle.table(binary, 10_000, 60, 100)):
        lines += [*part, ""]
    if shutil.which("valgrind"):
        none, some, many = rules(folder, patterns)
        columns = [("0 rules", ["-c", none]), ("20 rules", ["--rules", some]), ("200 rules", ["--rules", many])]
        lines += ["## Instructions", "", "As callgrind counts them, whatever else the machine does (`benches/instructions.py`).", "",
                  *instructions.table(binary, folder, columns), ""]
    (HERE / "RESULTS.md").write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
