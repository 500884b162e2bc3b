#!/usr/bin/env python3
"""What a scrape of many series costs, and what one of mtail with as many does.

    benches/scrape.py BINARY [--series 100000] [--rounds 40]

One log line for each series, then uncompressed scrapes of numbers that no longer change, one after the other. CPU time is
what the kernel booked on the process, less what it needs while nobody asks; memory is the peak during the scrapes
above what was resident before. mtail (Debian's package) is left out where it is not installed.
"""

import argparse
import http.client
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.parse
from pathlib import Path

from process import cpu_seconds, forget_peak, memory_mib, running

CONFIG = """\
inputs:
  - name: many
    include: ['{log}']
rules: ['{rules}']
host: off
limits: {{series_per_metric: 1000000}}
"""
RULES = """\
group: bench
rules:
  - name: user
    match: 'user=(?P<user>\\w+) did'
    labels: {user: '${user}'}
"""
MTAIL = """\
counter users_total by user
/user=(?P<user>\\w+) did/ {
  users_total[$user]++
}
"""
FORMATS = {
    "text 0.0.4": "text/plain;version=0.0.4",
    "OpenMetrics": "application/openmetrics-text;version=1.0.0",
    "protobuf": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
}


def scrape(address: str, accept: str) -> tuple[bytes, float]:
    """The body, and seconds to its first byte."""
    connection = http.client.HTTPConnection(address, timeout=60)
    began = time.monotonic()
    connection.request("GET", "/metrics", headers={"Accept": accept, "Accept-Encoding": "identity"})
    answer = connection.getresponse()
    first = answer.read(1)
    waited = time.monotonic() - began
    return first + answer.read(), waited


def write(log: Path, series: int) -> None:
    with log.open("a") as out:
        for n in range(series):
            out.write(f"2026-01-01 00:00:00,000 INFO app: user=u{n:06} did it\n")


def wait_for(address: str, series: int) -> None:
    """Until all series are there; one scrape more, so that none is born any more."""
    while scrape(address, FORMATS["text 0.0.4"])[0].count(b'user="') < series:
        time.sleep(0.5)
    scrape(address, FORMATS["text 0.0.4"])


def row(name: str, pid: int, address: str, accept: str, rounds: int) -> str:
    forget_peak(pid)
    before, _ = memory_mib(pid)
    began, used = time.monotonic(), cpu_seconds(pid)
    time.sleep(2)
    idle = (cpu_seconds(pid) - used) / (time.monotonic() - began)
    began, used = time.monotonic(), cpu_seconds(pid)
    answers = [scrape(address, accept) for _ in range(rounds)]
    cpu = (cpu_seconds(pid) - used - idle * (time.monotonic() - began)) / rounds
    first = statistics.median(waited for _, waited in answers)
    peak = memory_mib(pid)[1] - before
    return f"| {name} | {len(answers[0][0]) / 1e6:.1f} | {cpu * 1e3:.1f} | {first * 1e3:.1f} | {peak:.1f} |"


def of_mtail(root: Path, series: int, rounds: int) -> str:
    (root / "progs").mkdir()
    (root / "progs" / "bench.mtail").write_text(MTAIL)
    log = root / "mtail.log"
    log.touch()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["mtail", "--progs", str(root / "progs"), "--logs", str(log), "--address", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=root)
    try:
        time.sleep(2)
        write(log, series)
        address = f"127.0.0.1:{port}"
        wait_for(address, series)
        return row("mtail, text", process.pid, address, FORMATS["text 0.0.4"], rounds)
    finally:
        process.terminate()
        process.wait(10)


def table(binary: str, series: int, rounds: int) -> list[str]:
    rows = []
    with tempfile.TemporaryDirectory() as temp:
        root = Path(temp)
        log, rules = root / "app.log", root / "rules.yml"
        log.touch()
        rules.write_text(RULES)
        with running(binary, root, CONFIG.format(log=log, rules=rules)) as (pid, base):
            address = urllib.parse.urlparse(base).netloc
            write(log, series)
            wait_for(address, series)
            rows += [row(name, pid, address, accept, rounds) for name, accept in FORMATS.items()]
        if shutil.which("mtail"):
            rows.append(of_mtail(root, series, max(3, rounds // 8)))
    head = "| scrape | MB | CPU ms | first byte ms | more memory MiB |"
    return [f"Scrapes of {series} series, load {os.getloadavg()[0]:.1f} (`benches/scrape.py`):", "", head, "|---|---|---|---|---|", *rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    given = parser.parse_args()
    print("\n".join(table(given.binary, given.series, given.rounds)))


if __name__ == "__main__":
    main()
