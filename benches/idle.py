#!/usr/bin/env python3
"""What following many quiet files costs, and whether a busy one among them is kept waiting.

    benches/idle.py BINARY [--files 10000] [--seconds 60]

Files of one line each in one folder, default options, no host metrics. CPU time is what the kernel booked on the
process while nothing was written, as a share of one core; then lines are written to one file, one at a time, and each
is asked for in a scrape 50 ms later.
"""

import argparse
import os
import re
import tempfile
import time
from pathlib import Path

from process import cpu_seconds, get, memory_mib, running

CONFIG = """\
inputs:
  - name: many
    include: ['{folder}/*.log']
    path_label: none
host: off
"""


def lines(base: str) -> int:
    return sum(int(float(n)) for n in re.findall(r"^log_lines_total\{[^}]*\} (\S+)", get(f"{base}/metrics"), re.M))


def seen_after_50_ms(base: str, file: Path, trials: int) -> int:
    seen = 0
    for trial in range(trials):
        before = lines(base)
        with file.open("a") as out:
            out.write(f"2026-01-01 00:00:00,000 INFO busy: line {trial}\n")
        time.sleep(0.05)
        seen += lines(base) == before + 1
        # A late one is waited for, so that it is not taken for the next one's.
        deadline = time.monotonic() + 10
        while lines(base) < before + 1 and time.monotonic() < deadline:
            time.sleep(0.05)
    return seen


def table(binary: str, files: int, seconds: float, trials: int) -> list[str]:
    with tempfile.TemporaryDirectory() as temp:
        root = Path(temp)
        folder = root / "logs"
        folder.mkdir()
        for n in range(files):
            (folder / f"app-{n:05}.log").write_text(f"2026-01-01 00:00:00,000 INFO start: file {n}\n")
        with running(binary, root, CONFIG.format(folder=folder)) as (pid, base):
            # Files count as quiet after ten seconds without a write.
            time.sleep(15)
            began, used = time.monotonic(), cpu_seconds(pid)
            time.sleep(seconds)
            share = (cpu_seconds(pid) - used) / (time.monotonic() - began)
            now, peak = memory_mib(pid)
            seen = seen_after_50_ms(base, folder / f"app-{files // 2:05}.log", trials)
    head = "| quiet files | CPU, share of a core | RSS MiB | peak MiB | visible after 50 ms | load |"
    row = f"| {files} | {share:.2%} | {now:.0f} | {peak:.0f} | {seen} of {trials} | {os.getloadavg()[0]:.1f} |"
    return ["Following many files that do not grow (`benches/idle.py`):", "", head, "|---|---|---|---|---|---|", row]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--trials", type=int, default=100)
    given = parser.parse_args()
    print("\n".join(table(given.binary, given.files, given.seconds, given.trials)))


if __name__ == "__main__":
    main()
