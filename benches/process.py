"""A process under measurement: started on a free port, asked what it costs, stopped."""

import contextlib
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """CPU time that the kernel booked on all threads of a process, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def memory_mib(pid: int) -> tuple[float, float]:
    """Resident memory now and at most since the start or :func:`forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text()
    now, peak = (int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak


def forget_peak(pid: int) -> None:
    """The peak of :func:`memory_mib` starts anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


def address(log: Path) -> str:
    """Where the process says that it listens."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = re.search(r"127\.0\.0\.1:(\d+)", log.read_text())
        if found:
            return f"http://127.0.0.1:{found[1]}"
        time.sleep(0.05)
    sys.exit(f"it does not listen:\n{log.read_text()}")


def wait_until_ready(base: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            get(f"{base}/-/ready")
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("it never became ready")


@contextlib.contextmanager
def running(binary: str, root: Path, config: str) -> Iterator[tuple[int, str]]:
    """logtally with this config and its store in `root`: its process id and address, once it is ready."""
    (root / "logtally.yml").write_text(config)
    log = root / "own.log"
    command = [binary, "run", "--config.file", str(root / "logtally.yml"), "--storage.path", str(root / "store"),
               "--web.listen-address", "127.0.0.1:0"]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        base = address(log)
        wait_until_ready(base)
        yield process.pid, base
    finally:
        process.terminate()
        process.wait(10)
