"""A folder shown through FUSE, read-only: whatever is written to it is written behind its back, as on NFS.

    passthrough.py REAL VIEW FAULT

Mounts REAL at VIEW, says `ready`, and serves until its input ends. While a file stands at FAULT, reading gives EIO.
Speaks the kernel's protocol itself (linux/fuse.h, version 7.31), so that nothing has to be installed.
"""

import ctypes
import errno
import os
import struct
import sys
import threading

REAL, VIEW, FAULT = sys.argv[1:]
LOOKUP, FORGET, GETATTR, READLINK, OPEN, READ, STATFS, RELEASE = 1, 2, 3, 5, 14, 15, 17, 18
FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, ACCESS, INTERRUPT, BATCH_FORGET = 25, 26, 27, 28, 29, 34, 36, 42
DIRECT_IO = 1

# Held open by path, so that a renamed or deleted file stays the same node.
nodes = {1: os.open(REAL, os.O_PATH)}
open_files = {}


def attributes(fd):
    """struct fuse_attr of what a descriptor stands for."""
    st = os.fstat(fd)
    times = [st.st_atime_ns, st.st_mtime_ns, st.st_ctime_ns]
    return struct.pack(
        "<6Q10I", st.st_ino, st.st_size, st.st_blocks, *(t // 10**9 for t in times), *(t % 10**9 for t in times),
        st.st_mode, st.st_nlink, st.st_uid, st.st_gid, 0, 4096, 0,
    )


def lookup(node, body):
    name = body.rstrip(b"\0")
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=nodes[node])
    st = os.fstat(fd)
    known = nodes.get(st.st_ino)
    if known is not None and os.fstat(known).st_ino == st.st_ino:
        os.close(fd)
    else:
        nodes[st.st_ino] = fd
    # Nothing is cached: the next call asks again.
    return struct.pack("<4Q2I", st.st_ino, 0, 0, 0, 0, 0) + attributes(nodes[st.st_ino])


def listing(node, body):
    _, offset, size = struct.unpack_from("<QQI", body)
    out = b""
    names = sorted(os.listdir(f"/proc/self/fd/{nodes[node]}"))
    for at, name in enumerate(names[offset:], offset + 1):
        raw = os.fsencode(name)
        entry = struct.pack("<QQII", at, at, len(raw), 0) + raw
        entry += b"\0" * (-len(entry) % 8)
        if len(out) + len(entry) > size:
            break
        out += entry
    return out


def read(body):
    if os.path.exists(FAULT):
        raise OSError(errno.EIO, "as asked")
    handle, offset, size = struct.unpack_from("<QQI", body)
    return os.pread(open_files[handle], size, offset)


def opened(node, flags):
    fd = os.open(f"/proc/self/fd/{nodes[node]}", flags)
    open_files[fd] = fd
    return struct.pack("<QII", fd, DIRECT_IO, 0)


def answer(opcode, node, body):
    """The body of the answer; None where none is wanted."""
    if opcode == INIT:
        return struct.pack("<IIIIHHIIHHI7I", 7, 31, 65536, 0, 16, 12, 65536, 1, 16, 0, 0, *[0] * 7)
    if opcode == LOOKUP:
        return lookup(node, body)
    if opcode == GETATTR:
        return struct.pack("<QII", 0, 0, 0) + attributes(nodes[node])
    if opcode == READLINK:
        return os.fsencode(os.readlink("", dir_fd=nodes[node]))
    if opcode == OPEN:
        return opened(node, os.O_RDONLY)
    if opcode == OPENDIR:
        return struct.pack("<QII", 0, 0, 0)
    if opcode == READ:
        return read(body)
    if opcode == READDIR:
        return listing(node, body)
    if opcode == RELEASE:
        os.close(open_files.pop(struct.unpack_from("<Q", body)[0]))
        return b""
    if opcode in (FLUSH, RELEASEDIR, ACCESS):
        return b""
    if opcode == STATFS:
        return struct.pack("<5Q4I6I", 1 << 20, 1 << 19, 1 << 19, 1 << 20, 1 << 19, 4096, 255, 4096, 0, *[0] * 6)
    if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
        return None
    raise OSError(errno.ENOSYS, "not offered")


def serve(device):
    while True:
        try:
            request = os.read(device, 1 << 18)
        except InterruptedError:
            continue
        except OSError as error:
            if error.errno == errno.ENOENT:
                continue
            return
        _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
        try:
            body, failed = answer(opcode, node, request[40:]), 0
        except OSError as error:
            body, failed = b"", error.errno
        if body is not None:
            try:
                os.write(device, struct.pack("<IiQ", 16 + len(body), -failed, unique) + body)
            except OSError:
                pass  # Who asked has gone.


def mount():
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"passthrough", os.fsencode(VIEW), b"fuse", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), "mount")
    return device


def until_input_ends():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=until_input_ends, daemon=True).start()
DEVICE = mount()
print("ready", flush=True)
serve(DEVICE)
