"""A file system that passes every call on to a folder, but fails those that it is told to.

It speaks the kernel's FUSE protocol itself, in a process of its own, so that whatever runs on it
(native libraries too) meets the errors of a real disk. Needs root and /dev/fuse; no library.

Use: `with FaultyDisk(backing, mountpoint) as disk: disk.fail("write", errno.EIO)`.
"""

# ruff: noqa: PTH101, PTH102, PTH105, PTH106, PTH108, PTH115, PTH211

import contextlib
import ctypes
import errno
import json
import os
import stat
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

# What can fail. `probe`: lookup, stat and free space; `list`: the names in a folder.
CALLS = ("probe", "create", "open", "read", "write", "fsync", "rename", "unlink", "list")

_IN, _OUT = struct.Struct("<IIQQIIIHH"), struct.Struct("<IiQ")
_ATTR = struct.Struct("<6Q10I")
_LARGEST = 1 << 17


class FaultyDisk:
    """The mounted file system, as tests see it."""

    def __init__(self, backing: Path, folder: Path) -> None:
        self.folder = folder
        backing.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(backing), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    @staticmethod
    def is_possible() -> bool:
        """Whether this system can mount one."""
        return sys.platform == "linux" and os.geteuid() == 0 and os.access("/dev/fuse", os.W_OK)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], capture_output=True, check=False)
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def fail(self, call: str, number: int, below: str = "", times: int = -1) -> None:
        """Fail a kind of call with this errno, in paths that begin with `below` (as "/a/b")."""
        assert call in CALLS
        self._tell({"call": call, "errno": number, "below": below, "times": times})

    def work(self) -> int:
        """Fail nothing any more; returns how many calls failed since the last time."""
        return self._tell(None)

    def _tell(self, rule: object) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(rule) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> int:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the faulty disk has ended")
        return int(line)


class _Server:
    """Answers the kernel. Node numbers are indexes of `paths`, which are below the backing."""

    def __init__(self, backing: str, folder: str) -> None:
        self.backing = backing
        self.rules: list[dict[str, object]] = []
        self.failed = 0
        self.paths = ["", ""]
        self.numbers = {"": 1}
        self.lists: dict[int, list[tuple[str, int]]] = {}
        self.device = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0,allow_other"
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"faulty", folder.encode(), b"fuse.faulty", 0, options.encode()):
            raise OSError(ctypes.get_errno(), "cannot mount")
        self.answers: dict[int, Callable[[int, bytes], bytes]] = {
            1: self.lookup, 3: self.getattr, 4: self.setattr, 5: self.readlink, 6: self.symlink,
            8: self.mknod, 9: self.mkdir, 10: self.unlink, 11: self.rmdir, 12: self.rename,
            14: self.open, 15: self.read, 16: self.write, 17: self.statfs, 18: self.release,
            20: self.fsync, 25: lambda _node, _data: b"", 26: self.init, 27: self.opendir,
            28: self.readdir, 29: lambda _node, _data: b"", 30: self.fsync_folder,
            35: self.create, 45: self.rename2,
        }  # fmt: skip

    def serve(self) -> None:
        import select

        commands = sys.stdin
        print(0, flush=True)
        while True:
            ready = select.select([self.device, commands], [], [])[0]
            if commands in ready:
                line = commands.readline()
                if not line:
                    return
                self.obey(json.loads(line))
            if self.device in ready:
                try:
                    request = os.read(self.device, _LARGEST + 4096)
                except OSError as error:
                    if error.errno == errno.ENODEV:  # unmounted
                        return
                    continue
                self.answer(request)

    def obey(self, rule: dict[str, object] | None) -> None:
        if rule is None:
            self.rules.clear()
            print(self.failed, flush=True)
            self.failed = 0
        else:
            self.rules.append(rule)
            print(0, flush=True)

    def answer(self, request: bytes) -> None:
        _, opcode, unique, node, *_ = _IN.unpack_from(request)
        if opcode in {2, 36, 42}:  # forget, interrupt: no answer
            return
        number, data = 0, b""
        handler = self.answers.get(opcode)
        try:
            if handler is None:
                raise OSError(errno.ENOSYS, "")
            data = handler(node, request[_IN.size :])
        except OSError as error:
            number, data = error.errno or errno.EIO, b""
        with contextlib.suppress(OSError):
            os.write(self.device, _OUT.pack(_OUT.size + len(data), -number, unique) + data)

    def check(self, call: str, *paths: str) -> None:
        """Raise what the rules say about this call."""
        for rule in self.rules:
            below = str(rule["below"])
            if rule["call"] != call or not any(path.startswith(below) for path in paths):
                continue
            left = int(str(rule["times"]))
            if left:
                rule["times"] = left - 1
                self.failed += 1
                raise OSError(int(str(rule["errno"])), "")

    def real(self, path: str) -> str:
        return self.backing + path

    def child(self, node: int, name: bytes) -> str:
        return f"{self.paths[node]}/{os.fsdecode(name)}"

    def number(self, path: str) -> int:
        if path not in self.numbers:
            self.numbers[path] = len(self.paths)
            self.paths.append(path)
        return self.numbers[path]

    def attributes(self, found: os.stat_result) -> bytes:
        times = found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns
        return _ATTR.pack(
            found.st_ino, found.st_size, found.st_blocks,
            *(one // 10**9 for one in times), *(one % 10**9 for one in times),
            found.st_mode, found.st_nlink, found.st_uid, found.st_gid, 0, 4096, 0,
        )  # fmt: skip

    def entry(self, path: str) -> bytes:
        found = os.lstat(self.real(path))
        return struct.pack("<4Q2I", self.number(path), 0, 0, 0, 0, 0) + self.attributes(found)

    # --- what the kernel asks ------------------------------------------------------------------

    def init(self, _node: int, data: bytes) -> bytes:
        major, _minor, ahead, flags = struct.unpack_from("<4I", data)
        assert major == 7
        big_writes = flags & (1 << 5)
        return struct.pack(
            "<4I2H2I2HI7I", 7, 31, ahead, big_writes, 12, 9, _LARGEST, 1, 32, 0, 0, *[0] * 7
        )

    def lookup(self, node: int, data: bytes) -> bytes:
        path = self.child(node, data[:-1])
        self.check("probe", path)
        return self.entry(path)

    def getattr(self, node: int, _data: bytes) -> bytes:
        path = self.paths[node]
        self.check("probe", path)
        return struct.pack("<Q2I", 0, 0, 0) + self.attributes(os.lstat(self.real(path)))

    def setattr(self, node: int, data: bytes) -> bytes:
        valid, _, _, size, _, atime, mtime, _, at, mt, _, mode, _, uid, gid, _ = struct.unpack_from(
            "<2I6Q8I", data
        )
        path = self.paths[node]
        self.check("write", path)
        real = self.real(path)
        if valid & 1:
            os.chmod(real, stat.S_IMODE(mode))
        if valid & 6:
            os.chown(real, uid if valid & 2 else -1, gid if valid & 4 else -1)
        if valid & 8:
            os.truncate(real, size)
        if valid & 48:
            os.utime(real, ns=(atime * 10**9 + at, mtime * 10**9 + mt))
        return struct.pack("<Q2I", 0, 0, 0) + self.attributes(os.lstat(real))

    def readlink(self, node: int, _data: bytes) -> bytes:
        return os.fsencode(os.readlink(self.real(self.paths[node])))

    def symlink(self, node: int, data: bytes) -> bytes:
        name, target = data.split(b"\0")[:2]
        path = self.child(node, name)
        self.check("create", path)
        os.symlink(target, os.fsencode(self.real(path)))
        return self.entry(path)

    def mknod(self, node: int, data: bytes) -> bytes:
        mode = struct.unpack_from("<I", data)[0]
        path = self.child(node, data[16:-1])
        self.check("create", path)
        os.mknod(self.real(path), mode)
        return self.entry(path)

    def mkdir(self, node: int, data: bytes) -> bytes:
        mode = struct.unpack_from("<I", data)[0]
        path = self.child(node, data[8:-1])
        self.check("create", path)
        os.mkdir(self.real(path), mode)
        return self.entry(path)

    def unlink(self, node: int, data: bytes) -> bytes:
        path = self.child(node, data[:-1])
        self.check("unlink", path)
        os.unlink(self.real(path))
        return b""

    def rmdir(self, node: int, data: bytes) -> bytes:
        path = self.child(node, data[:-1])
        self.check("unlink", path)
        os.rmdir(self.real(path))
        return b""

    def rename(self, node: int, data: bytes, start: int = 8) -> bytes:
        target = struct.unpack_from("<Q", data)[0]
        old, new = data[start:].split(b"\0")[:2]
        before, after = self.child(node, old), self.child(target, new)
        self.check("rename", before, after)
        os.replace(self.real(before), self.real(after))
        number = self.numbers.pop(before, None)
        if number is not None:
            self.numbers[after], self.paths[number] = number, after
        return b""

    def rename2(self, node: int, data: bytes) -> bytes:
        return self.rename(node, data, 16)

    def open(self, node: int, data: bytes) -> bytes:
        path = self.paths[node]
        self.check("open", path)
        flags = struct.unpack_from("<I", data)[0] & ~os.O_NOFOLLOW
        return struct.pack("<QII", os.open(self.real(path), flags), 1, 0)  # 1: no cached pages

    def create(self, node: int, data: bytes) -> bytes:
        flags, mode = struct.unpack_from("<2I", data)
        path = self.child(node, data[16:-1])
        self.check("create", path)
        handle = os.open(self.real(path), flags | os.O_CREAT, mode)
        return self.entry(path) + struct.pack("<QII", handle, 1, 0)

    def read(self, node: int, data: bytes) -> bytes:
        handle, offset, size = struct.unpack_from("<2QI", data)
        self.check("read", self.paths[node])
        return os.pread(handle, size, offset)

    def write(self, node: int, data: bytes) -> bytes:
        handle, offset, size = struct.unpack_from("<2QI", data)
        self.check("write", self.paths[node])
        return struct.pack("<2I", os.pwrite(handle, data[40 : 40 + size], offset), 0)

    def statfs(self, _node: int, _data: bytes) -> bytes:
        self.check("probe", "/")
        s = os.statvfs(self.backing)
        return struct.pack(
            "<5Q4I24x", s.f_blocks, s.f_bfree, s.f_bavail, s.f_files, s.f_ffree,
            s.f_bsize, s.f_namemax, s.f_frsize, 0,
        )  # fmt: skip

    def release(self, _node: int, data: bytes) -> bytes:
        os.close(struct.unpack_from("<Q", data)[0])
        return b""

    def fsync(self, node: int, data: bytes) -> bytes:
        self.check("fsync", self.paths[node])
        del data  # the backing disk is trusted
        return b""

    def fsync_folder(self, node: int, _data: bytes) -> bytes:
        self.check("fsync", self.paths[node] + "/")
        return b""

    def opendir(self, node: int, _data: bytes) -> bytes:
        path = self.paths[node]
        self.check("list", path + "/")
        with os.scandir(self.real(path)) as entries:
            self.lists[node] = [
                (one.name, stat.S_IFMT(one.stat(follow_symlinks=False).st_mode) >> 12)
                for one in entries
            ]
        return struct.pack("<QII", 0, 0, 0)

    def readdir(self, node: int, data: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<2QI", data)
        found = b""
        names = self.lists.get(node, [])
        for index in range(offset, len(names)):
            name, kind = os.fsencode(names[index][0]), names[index][1]
            one = struct.pack("<2Q2I", index + 2, index + 1, len(name), kind) + name
            one += bytes(-len(one) % 8)
            if len(found) + len(one) > size:
                break
            found += one
        return found


if __name__ == "__main__":
    _Server(sys.argv[1], sys.argv[2]).serve()
