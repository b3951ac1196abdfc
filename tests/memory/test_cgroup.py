"""Limits of containers and batch systems, from file trees as the kernel lays them out."""

from pathlib import Path

import pytest

from fwtui.memory.cgroup import CgroupMemory, CgroupMeter

MB = 2**20
UNLIMITED_V1 = "9223372036854771712"


def tree(root: Path, membership: str, files: dict[str, str]) -> CgroupMeter:
    for name, text in files.items():
        path = root / "fs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "fs").mkdir(exist_ok=True)
    (root / "membership").write_text(membership)
    return CgroupMeter(root / "membership", root / "fs")


SLURM_V1 = "4:memory:/slurm/uid_1/job_2/step_0\n3:cpuset:/slurm\n0::/\n"
SLURM_V2 = "0::/system.slice/slurmstepd.scope/job_2/step_0\n"


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/\n", {}, None),
        ("", {}, None),
        ("nonsense", {"memory.max": "1"}, None),
        ("0::/\n", {"memory.max": "max\n"}, None),
        (
            "0::/\n",
            {
                "memory.max": f"{512 * MB}\n",
                "memory.current": f"{400 * MB}\n",
                "memory.stat": f"anon 1\ninactive_file {100 * MB}\n",
            },
            CgroupMemory(512, 212),
        ),
        (  # the lower one of two, and what is left below the tighter
            SLURM_V2,
            {
                "system.slice/slurmstepd.scope/job_2/memory.max": f"{4096 * MB}",
                "system.slice/slurmstepd.scope/job_2/memory.current": f"{4000 * MB}",
                "system.slice/slurmstepd.scope/job_2/step_0/memory.max": f"{2048 * MB}",
                "system.slice/slurmstepd.scope/job_2/step_0/memory.current": f"{100 * MB}",
            },
            CgroupMemory(2048, 96),
        ),
        ("0::/\n", {"memory.high": f"{300 * MB}", "memory.max": "max"}, CgroupMemory(300, 300)),
        (
            SLURM_V1,
            {
                "memory/memory.limit_in_bytes": UNLIMITED_V1,
                "memory/slurm/uid_1/job_2/memory.limit_in_bytes": f"{1024 * MB}",
                "memory/slurm/uid_1/job_2/memory.usage_in_bytes": f"{1000 * MB}",
                "memory/slurm/uid_1/job_2/memory.stat": f"total_inactive_file {24 * MB}",
                "memory/slurm/uid_1/job_2/step_0/memory.limit_in_bytes": UNLIMITED_V1,
            },
            CgroupMemory(1024, 48),
        ),
        (  # a container on v1: the path is the host's, the root is its own group
            "9:memory:/docker/0123\n",
            {"memory/memory.limit_in_bytes": f"{256 * MB}"},
            CgroupMemory(256, 256),
        ),
        (
            "9:memory:/../../etc\n",
            {"memory/memory.limit_in_bytes": "7"},
            CgroupMemory(7 / MB, 7 / MB),
        ),
        ("0::/\n", {"memory.max": "100", "memory.current": "400"}, CgroupMemory(100 / MB, 0)),
    ],
)
def test_limits(
    tmp_path: Path, membership: str, files: dict[str, str], expected: CgroupMemory | None
) -> None:
    assert tree(tmp_path, membership, files).read() == expected


def test_a_limit_that_is_changed_later_is_seen(tmp_path: Path) -> None:
    meter = tree(tmp_path, "0::/\n", {"memory.max": "max"})
    assert meter.read() is None
    (tmp_path / "fs" / "memory.max").write_text(f"{64 * MB}")
    assert meter.read() == CgroupMemory(64, 64)
