#!/usr/bin/env python3
"""Writes a log to measure with: corpus.py FORMAT BYTES OUT.

The formats: python, basic, loguru, log4j, syslog, nginx, access, klog, json, logfmt.

A service's day in miniature: 6 lines in 100 are of the kind that the rules of compare.py look for, the rest is the
usual noise. The same bytes on every machine; a stretch of unlike lines is repeated until the size is reached.
"""
import json
import random
import sys

STRETCH = 50_000
LOGGERS = ["shop.web", "shop.cart", "shop.billing", "shop.search", "shop.mail", "shop.db"]
NOISE = [
    "GET /products/{a} status=200 took={b}ms client=10.0.{c}.{d}",
    "POST /cart/{a}/items status=201 took={b}ms bytes={a}",
    "cache miss for key product:{a} after {b} us",
    "indexed {b} documents in shard {c}, {d} left",
    "mail {a} handed to relay-{c} in {b} ms",
    "session {a:08x} renewed for {b} s",
    "pool: {c} of {d} connections busy",
    "tick",
    "invoice {a} written to ledger {c}, page {d}",
]
LOUD = [
    "connection timed out after {c}.{d}s to db-{c}",
    "GET /products/{a} status=503 took={b}ms",
    "worker {c} stopped: Out of memory",
    "login failed for user u{b} from 10.0.{c}.{d}",
    "retrying 2/{c} towards billing",
    "deadlock detected between {a} and {b}",
    "cannot write page {a}: No space left on device",
    "lookup of db-{c}: Temporary failure in name resolution",
    "connect to 10.0.{c}.{d}:5432: Connection refused",
    "slow query ({b} ms): select from invoices",
    "request {a} ended with ValueError: no such item",
    "open /srv/{a}: Permission denied",
    "child {a} segfault at {a:x} ip {b:x}",
    "peer billing-{c}: certificate has expired",
    "answered 429 for tenant {c}, rate limit at {b}/s",
    "payment {a:08x}-{b:04x}-{c:04x}-{d:04x}-{a:012x} declined",
    "queue mail-{c} is full",
    "circuit breaker billing-{c} opened",
    "banned 192.0.{c}.{d} for {b} s",
]


def line(form, number, level, logger, text):
    clock = f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
    fraction = f"{number * 13 % 1000:03}"
    if form == "python":
        return f"2026-11-20 {clock},{fraction} {level} {logger} {text}"
    if form == "basic":
        return f"{level}:{logger}:{text}"
    if form == "loguru":
        return f"2026-11-20 {clock}.{fraction} | {level:<8} | {logger}:handle:{number % 400} - {text}"
    if form == "log4j":
        return f"2026-11-20 {clock},{fraction} {level} [worker-{number % 8}] {logger}.Handler: {text}"
    if form == "syslog":
        return f"Nov 20 {clock} web-1 {logger.split('.')[1]}[{1000 + number % 9000}]: {text}"
    if form == "nginx":
        word = {"WARNING": "warn", "CRITICAL": "crit"}.get(level, level.lower())
        return f"2026/11/20 {clock} [{word}] {1000 + number % 8}#0: *{number} {text}"
    if form == "access":
        status = {"WARNING": 404, "ERROR": 502, "CRITICAL": 500}.get(level, 200)
        return (f'10.0.{number % 256}.{number % 250} - - [20/Nov/2026:{clock} +0000] "GET /{logger}/{number} HTTP/1.1" '
                f'{status} {number % 5000} "-" "{text}"')
    if form == "klog":
        letter = {"DEBUG": "I", "CRITICAL": "F"}.get(level, level[0])
        return f"{letter}1120 {clock}.{fraction}000       1 {logger.split('.')[1]}.go:{number % 900}] {text}"
    stamp = f"2026-11-20T{clock}.{fraction}Z"
    if form == "json":
        return json.dumps({"time": stamp, "level": level.lower(), "logger": logger, "message": text})
    return f'time={stamp} level={level.lower()} logger={logger} msg="{text}"'


def main():
    form, size, out = sys.argv[1], int(float(sys.argv[2])), sys.argv[3]
    dice = random.Random(20)
    lines = []
    for number in range(STRETCH):
        loud = dice.random() < 0.06
        level = dice.choices(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], [0, 1, 4, 4, 1] if loud else [3, 6, 1, 0, 0])[0]
        values = {"a": dice.randrange(10**6), "b": dice.randrange(5000), "c": dice.randrange(100), "d": dice.randrange(256)}
        text = dice.choice(LOUD if loud else NOISE).format(**values)
        lines.append(line(form, number, level, dice.choice(LOGGERS), text) + "\n")
    stretch = "".join(lines).encode()
    with open(out, "wb") as log:
        for _ in range(size // len(stretch)):
            log.write(stretch)
        rest = stretch[: size % len(stretch)]
        log.write(rest[: rest.rfind(b"\n") + 1])


if __name__ == "__main__":
    main()
