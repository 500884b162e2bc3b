"""Instructions per byte of `logtally count`, as valgrind's callgrind counts them: the same on a busy machine as on a quiet
one, so that a change of one in a hundred shows.

instructions.py BINARY FOLDER RULES...: prints a table, two columns for each rule file.
"""
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
FORMS = ["python", "basic", "loguru", "log4j", "syslog", "nginx", "access", "klog", "json", "logfmt"]
BYTES = 2_000_000


def counted(binary, rules, log):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
               binary, "count", "--output", "json", "--threads", "1", *rules, log]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def table(binary, folder, columns):
    """Lines of a Markdown table; `columns` are names and the flags that choose their rules."""
    half = folder / "half.log"
    lines = ["| format | " + " | ".join(f"{name}, per byte | against python" for name, _ in columns) + " |",
             "|---|" + "---|---|" * len(columns)]
    first = {}
    for form in FORMS:
        log = folder / f"{form}-{BYTES}.log"
        if not log.exists():
            # Twenty times as much, of which the beginning is taken: the corpora repeat a stretch of some megabytes.
            whole = folder / "whole.log"
            subprocess.run([sys.executable, HERE / "corpus.py", form, str(20 * BYTES), whole], check=True)
            text = whole.read_bytes()[:BYTES]
            log.write_bytes(text[:text.rfind(b"\n") + 1])
            whole.unlink()
        text = log.read_bytes()
        half.write_bytes(text[:text.rfind(b"\n", 0, len(text) // 2) + 1])
        cells = []
        for name, flags in columns:
            # What the second half costs: an expression is compiled where it is first needed, which is no cost of lines.
            cost = (counted(binary, flags, log) - counted(binary, flags, half)) / (len(text) - half.stat().st_size)
            cells.append(f"{cost:.1f} | {cost / first.setdefault(name, cost):.2f}")
        lines.append(f"| {form} | " + " | ".join(cells) + " |")
    half.unlink()
    return lines


if __name__ == "__main__":
    chosen = [(f"{pathlib.Path(rules).stem}", ["--rules", rules]) for rules in sys.argv[3:]]
    print("\n".join(table(sys.argv[1], pathlib.Path(sys.argv[2]), chosen)))
