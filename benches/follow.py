#!/usr/bin/env python3
"""What following a file costs that grows by 20,000 lines a second.

    benches/follow.py BINARY [--rate 20000] [--seconds 20]

The rules of `benches/patterns.txt`, lines of `benches/corpus.py` in Python's format, two hundred at a write. CPU time is what
the kernel booked on the process, as a share of one core: without host metrics, and with them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from process import cpu_seconds, running

HERE = Path(__file__).parent
CONFIG = """\
inputs:
  - name: busy
    include: ['{log}']
rules: ['{rules}']
host: {host}
"""
AT_ONCE = 200


def rules(folder: Path) -> Path:
    patterns = (HERE / "patterns.txt").read_text().splitlines()
    lines = ["group: bench", "rules:"]
    for n, pattern in enumerate(patterns):
        quoted = pattern.replace("'", "''")
        lines += [f"  - name: r{n}", f"    match: '{quoted}'"]
    (folder / "rules.yml").write_text("\n".join(lines) + "\n")
    return folder / "rules.yml"


def share(binary: str, root: Path, lines: list[bytes], host: str, rate: int, seconds: float) -> float:
    root.mkdir()
    log = root / "busy.log"
    log.touch()
    with running(binary, root, CONFIG.format(log=log, rules=rules(root), host=host)) as (pid, _):
        time.sleep(2)
        began, used, written = time.monotonic(), cpu_seconds(pid), 0
        with log.open("ab", buffering=0) as out:
            while time.monotonic() < began + seconds:
                at = written % len(lines)
                out.write(b"".join(lines[at : at + AT_ONCE]))
                written += AT_ONCE
                time.sleep(max(0, began + written / rate - time.monotonic()))
        return (cpu_seconds(pid) - used) / (time.monotonic() - began)


def table(binary: str, rate: int, seconds: float) -> list[str]:
    rows = []
    with tempfile.TemporaryDirectory() as temp:
        root = Path(temp)
        corpus = root / "corpus.log"
        subprocess.run([sys.executable, HERE / "corpus.py", "python", "5e6", corpus], check=True)
        lines = corpus.read_bytes().splitlines(keepends=True)
        lines = lines[: len(lines) // AT_ONCE * AT_ONCE]
        for host in ("off", "on"):
            used = share(binary, root / host, lines, host, rate, seconds)
            rows.append(f"| {rate} | {host} | {used:.2%} | {os.getloadavg()[0]:.1f} |")
    head = "| lines a second | host metrics | CPU, share of a core | load |"
    return ["Following a file that grows (`benches/follow.py`):", "", head, "|---|---|---|---|", *rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=20)
    given = parser.parse_args()
    print("\n".join(table(given.binary, given.rate, given.seconds)))


if __name__ == "__main__":
    main()
