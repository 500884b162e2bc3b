#!/usr/bin/env python3
"""Measures what hostile clients can do to a good one: hostile.py BINARY [--seconds 60] [--clients 200] [--rate 20000].

A real exporter on loopback tails a file that grows, `--clients` hostile clients do their worst, and two good scrapers
(one with a connection that stays, one with a new one each time) ask every second; first without, then with TLS and
passwords, each after a calm time to compare with. Prints a table and ends with 1 where something was not as wanted.
"""
import argparse
import asyncio
import base64
import http.client
import multiprocessing
import os
import pathlib
import random
import resource
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

USER, PASSWORD = "scraper", "correct horse battery staple"
# bcrypt of PASSWORD with the cost of 10 that docs/security.md names.
HASH = "$2b$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W"
LINE = "2026-11-20 12:00:00,123 ERROR shop.db request {:09d} timed out after 30s\n"
CALM = 10
RULES = """group: bench
rules:
  - {name: timeout, match: 'timed out after (?P<seconds>[0-9.]+)s'}
"""


class Target:
    """Where the exporter listens, and how to get in."""

    def __init__(self, port, tls):
        self.port, self.tls = port, tls

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def authorization(self, password=PASSWORD):
        token = base64.b64encode(f"{USER}:{password}".encode()).decode()
        return {"Authorization": f"Basic {token}"} if self.tls else {}

    def connection(self):
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.context())
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    async def open(self, **options):
        """A hostile connection: through TLS where there is TLS."""
        where = {"ssl": self.context()} if self.tls else {}
        return await asyncio.open_connection("127.0.0.1", self.port, **where, **options)

    async def open_raw(self, receive=0):
        """A hostile connection that does not begin with TLS; with a small receive buffer on demand."""
        plain = socket.socket()
        plain.setblocking(False)
        if receive:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", self.port))
        return await asyncio.open_connection(sock=plain)

    def request(self, path="/metrics", password=PASSWORD):
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.authorization(password).items())
        return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode()


async def slow_head(target):
    """A head byte by byte."""
    reader, writer = await target.open()
    for byte in target.request() + b"x" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        if reader.at_eof():
            break
        await asyncio.sleep(0.2)
    writer.close()


async def slow_read(target):
    """Asks for much and reads next to nothing."""
    if target.tls:
        reader, writer = await target.open(limit=1024)
    else:
        reader, writer = await target.open_raw(4096)
    for _ in range(50):
        writer.write(target.request())
    while await reader.read(50):
        await asyncio.sleep(0.5)
    writer.close()


async def half_closed(target):
    """Says that it has no more to say, before or after it has said it."""
    reader, writer = await target.open_raw()
    request = target.request()
    writer.write(request[: random.choice([0, 5, len(request) - 2, len(request)])])
    writer.write_eof()
    await asyncio.wait_for(reader.read(), 15)
    writer.close()


async def huge_head(target):
    """Megabytes of headers."""
    reader, writer = await target.open()
    writer.write(b"GET /metrics HTTP/1.1\r\n")
    for n in range(1000):
        writer.write(b"X-%d: %s\r\n" % (n, b"y" * 8000))
        await writer.drain()
        if reader.at_eof():
            break
    writer.close()


async def pipelining(target):
    """Hundreds of requests at once, the answers read as fast as they come."""
    reader, writer = await target.open()
    writer.write((target.request("/-/healthy") + target.request("/api/v1/status") + target.request()) * 200)
    for _ in range(2000):
        if not await asyncio.wait_for(reader.read(1 << 16), 15):
            break
    writer.close()


async def garbage(target):
    """Bytes that are nothing."""
    reader, writer = await target.open()
    writer.write(random.randbytes(random.choice([1, 100, 10_000])) + random.choice([b"", b"\r\n\r\n"]))
    await asyncio.wait_for(reader.read(), 15)
    writer.close()


async def tls_garbage(target):
    """Bytes that begin like a handshake."""
    reader, writer = await target.open_raw()
    writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + random.randbytes(505))
    await asyncio.wait_for(reader.read(), 15)
    writer.close()


async def wrong_password(target):
    """Another password with each request, as fast as answers come."""
    reader, writer = await target.open()
    for _ in range(200):
        writer.write(target.request(password=random.randbytes(9).hex()))
        if not await asyncio.wait_for(reader.read(1 << 16), 60):
            break
    writer.close()


KINDS = [slow_head, slow_read, half_closed, huge_head, pipelining, garbage, tls_garbage, wrong_password]


def attack(target, kinds, seconds):
    """One process of hostile clients, which come back when they are thrown out."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    end = time.monotonic() + seconds

    async def again(kind):
        while time.monotonic() < end:
            try:
                await asyncio.wait_for(kind(target), max(0.1, end - time.monotonic()))
            except (OSError, EOFError, asyncio.TimeoutError, ssl.SSLError):
                pass
            await asyncio.sleep(0.01)

    async def all_of_them():
        await asyncio.gather(*(again(kind) for kind in kinds))

    # Errors of connections that are gone are what this is about.
    sys.stderr = open(os.devnull, "w")
    asyncio.run(all_of_them())


def write(path, rate, written, stop):
    """Lets the file grow at a steady rate, in steps of 20 ms."""
    begun, count = time.monotonic(), 0
    with open(path, "ab", buffering=0) as log:
        while not stop.value:
            due = int((time.monotonic() - begun) * rate)
            log.write("".join(LINE.format(n) for n in range(count, due)).encode())
            count = due
            written.value = count
            time.sleep(0.02)


class Scraper(threading.Thread):
    """A good client."""

    def __init__(self, target, written, keep):
        super().__init__(daemon=True)
        self.target, self.written, self.keep = target, written, keep
        self.seconds, self.behind, self.errors, self.stop = [], [], [], False

    def run(self):
        connection, tick = None, time.monotonic()
        while not self.stop:
            begun, lines = time.monotonic(), self.written.value
            try:
                connection = connection or self.target.connection()
                self.behind.append(max(0, lines - lines_counted(scrape(connection, self.target))))
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.errors.append(repr(error))
                connection = None
            self.seconds.append(time.monotonic() - begun)
            if connection and not self.keep:
                connection.close()
                connection = None
            tick = max(tick + 1, time.monotonic())
            time.sleep(max(0, tick - time.monotonic()))


def scrape(connection, target):
    connection.request("GET", "/metrics", headers=target.authorization())
    answer = connection.getresponse()
    text = answer.read().decode()
    if answer.status != 200:
        raise ValueError(f"{answer.status}: {text[:100]}")
    return text


def lines_counted(text):
    found = [line for line in text.splitlines() if line.startswith("log_lines_total{")]
    return int(float(found[0].rsplit(" ", 1)[1])) if found else 0


def memory(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def cpu(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(binary, folder, tls):
    (folder / "app.log").touch()
    (folder / "rules.yml").write_text(RULES)
    port = free_port()
    command = [binary, "--rules", folder / "rules.yml", "--storage.path", folder / "store", "--from", "beginning",
               f"--web.listen-address=127.0.0.1:{port}"]
    if tls:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost"],
                       check=True, stderr=subprocess.DEVNULL)
        (folder / "web.yml").write_text("tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"
                                        f"basic_auth_users: {{{USER}: {HASH}}}\n")
        command.append(f"--web.config.file={folder}/web.yml")
    log = open(folder / "own.log", "w")
    child = subprocess.Popen([str(part) for part in [*command, folder / "app.log"]], stdout=log, stderr=log)
    target = Target(port, tls)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            scrape(target.connection(), target)
            return child, target
        except (OSError, ValueError):
            time.sleep(0.05)
    child.kill()
    sys.exit(f"the exporter does not answer: {(folder / 'own.log').read_text()}")


def watch(child, target, written, seconds, name):
    """Good scrapers for a while; a row of the table."""
    scrapers = [Scraper(target, written, keep) for keep in (True, False)]
    sizes, begun, used = [], time.monotonic(), cpu(child.pid)
    [scraper.start() for scraper in scrapers]
    while time.monotonic() < begun + seconds:
        time.sleep(0.5)
        sizes.append(memory(child.pid))
    for scraper in scrapers:
        scraper.stop = True
    [scraper.join(30) for scraper in scrapers]
    used = (cpu(child.pid) - used) / (time.monotonic() - begun)
    times = [sorted(scraper.seconds) for scraper in scrapers]
    both = sorted(times[0] + times[1])
    third = max(1, len(sizes) // 3)
    early, late = max(sizes[third:2 * third]), max(sizes[2 * third:])
    row = {"run": name, "scrapes": len(both), "failed": sum(len(s.errors) for s in scrapers),
           "p50 ms": both[len(both) // 2] * 1000, "p99 ms": both[int(len(both) * 0.99)] * 1000,
           "worst kept ms": times[0][-1] * 1000, "worst new ms": times[1][-1] * 1000,
           "lag lines": max((b for s in scrapers for b in s.behind), default=0),
           "RSS MB": f"{sizes[0]:.0f}/{early:.0f}/{late:.0f}", "CPU": f"{used:.2f}"}
    row["_grew"] = late - early
    for scraper in scrapers:
        for error in scraper.errors[:3]:
            print("  failed:", error, file=sys.stderr)
    return row


def measure(options, tls, folder):
    child, target = start(options.binary, folder, tls)
    written, stop = multiprocessing.Value("q", 0), multiprocessing.Value("b", 0)
    writer = multiprocessing.Process(target=write, args=(folder / "app.log", options.rate, written, stop), daemon=True)
    writer.start()
    name = "TLS and passwords" if tls else "plain"
    kinds = [globals()[kind] for kind in options.only] or KINDS
    try:
        rows = [watch(child, target, written, CALM, f"{name}, calm")]
        who = [kinds[n % len(kinds)] for n in range(options.clients)]
        hostile = multiprocessing.Process(target=attack, args=(target, who, options.seconds), daemon=True)
        hostile.start()
        rows.append(watch(child, target, written, options.seconds, f"{name}, {options.clients} hostile"))
        hostile.join(10)
        stop.value = 1
        writer.join()
        begun = time.monotonic()
        while (counted := lines_counted(scrape(target.connection(), target))) < written.value:
            if time.monotonic() > begun + 20:
                break
            time.sleep(0.05)
        rows[-1]["lines"], rows[-1]["lost"] = written.value, written.value - counted
    finally:
        stop.value = 1
        child.terminate()
        child.wait(10)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--rate", type=int, default=20_000, help="lines a second")
    parser.add_argument("--only", nargs="*", default=[], choices=[kind.__name__ for kind in KINDS], metavar="KIND",
                        help="kinds of hostile clients: " + ", ".join(kind.__name__ for kind in KINDS))
    parser.add_argument("--tls", choices=["on", "off", "both"], default="both")
    options = parser.parse_args()
    rows = []
    for tls in {"on": [True], "off": [False], "both": [False, True]}[options.tls]:
        with tempfile.TemporaryDirectory() as folder:
            rows += measure(options, tls, pathlib.Path(folder))
    keys = [key for key in rows[1] if not key.startswith("_")]
    print("| " + " | ".join(keys) + " |\n|" + "---|" * len(keys))
    for row in rows:
        cells = [row.get(key, "") for key in keys]
        print("| " + " | ".join(f"{cell:.0f}" if isinstance(cell, float) else str(cell) for cell in cells) + " |")
    wrong = [row["run"] for row in rows if row["failed"] or row.get("lost")
             or max(row["worst kept ms"], row["worst new ms"]) > 1000 or row["_grew"] > 16]
    print("not as wanted: " + "; ".join(wrong) if wrong else "all as wanted")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
