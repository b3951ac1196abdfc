"""Feeds files to a worker; one that hangs or dies is noted and replaced."""

import json
import select
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

MEMORY_MB = 2048  # address space, of which Python and FFmpeg take half a gigabyte from the start
SCRATCH_BYTES = 16 << 20
DEADLINE = 120.0  # wall-clock seconds for a file, on a machine that may be busy


@dataclass
class Totals:
    """What became of all files so far."""

    files: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    worst_cpu: float = 0.0
    most_scratch: int = 0
    peak_mb: float = 0.0
    problems: list[str] = field(default_factory=list)

    def add(self, name: str, found: dict[str, Any]) -> None:
        self.files += 1
        what = found["is"]
        self.ends[found.get("kind", what)] += 1
        self.worst_cpu = max(self.worst_cpu, found.get("cpu", 0.0))
        self.most_scratch = max(self.most_scratch, found.get("scratch", 0))
        self.peak_mb = max(self.peak_mb, found.get("peak_kb", 0) / 1024)
        if what not in {"decoded", "refused"} or found.get("title") == "":
            self.problems.append(f"{name}: {found}")
        elif found.get("scratch", 0) > SCRATCH_BYTES + 4096:
            self.problems.append(f"{name}: {found['scratch']} bytes of scratch space")
        elif found.get("kind") in {"internal", "disk_full", "permission"}:
            self.problems.append(f"{name}: {found}")

    def __str__(self) -> str:
        ends = ", ".join(f"{name}: {count}" for name, count in self.ends.most_common())
        return "\n".join(
            (
                f"files: {self.files} ({ends})",
                f"worst CPU time for a file: {self.worst_cpu:.1f} s",
                f"most scratch space: {self.most_scratch} bytes",
                f"peak memory of a worker: {self.peak_mb:.0f} MB",
                f"problems: {len(self.problems)}",
            )
        )


class Feeder:
    """Owns the worker of the moment."""

    def __init__(self, folder: Path) -> None:
        self._command = [sys.executable, "-m", "tests.fuzz.worker"]
        self._command += [str(MEMORY_MB), str(SCRATCH_BYTES), str(folder / "scratch.wav")]
        self._worker: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> int:
        worker, self._worker = self._worker, None
        if worker is None:
            return 0
        worker.kill()
        worker.communicate()
        return worker.returncode

    def try_file(self, path: Path) -> dict[str, Any]:
        """The worker's verdict, or that it hung or died over the file."""
        if self._worker is None:
            pipe = subprocess.PIPE
            self._worker = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, text=True)
        worker = self._worker
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(f"{path}\n")
        worker.stdin.flush()
        if not select.select([worker.stdout], [], [], DEADLINE)[0]:
            self._end()
            return {"is": "hung"}
        line = worker.stdout.readline()
        if not line:
            worker.wait()
            return {"is": "died", "code": self._end()}
        found: dict[str, Any] = json.loads(line)
        return found
