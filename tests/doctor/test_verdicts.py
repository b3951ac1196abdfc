"""What is a problem, how bad it is, and that each has a fix: tables."""

import pytest
from msgspec.structs import replace

from fwtui.core.events import GpuReading
from fwtui.core.settings import BatchSettings, ModelSettings, Settings
from fwtui.doctor import verdicts
from fwtui.doctor.results import (
    CheckResult,
    Cpu,
    Disk,
    Gpus,
    Library,
    Native,
    SelfTest,
    Severity,
    Terminal,
    exit_code,
    summary,
    worst,
)
from fwtui.errors import ExitCode

GB = 2**30
OK, NOTE, WARNING, ERROR = Severity.OK, Severity.NOTE, Severity.WARNING, Severity.ERROR
GPU = GpuReading(
    index=0, name="NVIDIA H100", used=1024, total=81920, utilisation=0, temperature=30, ours=None
)
ONE_GPU = Gpus((GPU,), "550.1", "12.4", 1)
AUTO = Settings()
ON_CPU = Settings(model=ModelSettings(device="cpu"))
ON_GPU = Settings(model=ModelSettings(device="cuda"))
SECOND_GPU = Settings(model=ModelSettings(device_index="0,1"))
FLOAT16 = Settings(model=ModelSettings(compute_type="float16"))
MAY_SLEEP = Settings(batch=BatchSettings(keep_awake=False))
MAY_FALL_BACK = Settings(batch=BatchSettings(cpu_fallback=True))
PACKAGES = {"fwtui": "1.0", "ctranslate2": "4.8.5"}
TRIED = {"av": ("14.2", "19.0.2"), "click": ("8.1", "8.5.1")}
BROKEN = (Library("libcublas.so.12", "libcublas.so.12: cannot open shared object file"),)
LOADED = (Library("libcublas.so.12"),)
CPU_TYPES = Native("4.8.5", 0, ("float32", "int8"))
XTERM = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


def screen(environ: dict[str, str], columns: int = 120, encoding: str = "utf-8") -> Terminal:
    return Terminal(True, environ, columns, 40, encoding)


CASES: list[tuple[CheckResult | None, Severity | None, str]] = [
    (verdicts.python((3, 11, 4), "CPython", "Linux"), OK, "3.11.4"),
    (verdicts.python((3, 10, 0), "CPython", "Linux"), ERROR, "3.10.0"),
    (verdicts.sleep("", AUTO), OK, "kept awake"),
    (verdicts.sleep("Access denied", AUTO), NOTE, "may fall asleep while a batch runs: Access"),
    (verdicts.sleep("Access denied", MAY_SLEEP), OK, "keep_awake is off"),
    (verdicts.versions(PACKAGES), OK, "ctranslate2 4.8.5"),
    (verdicts.versions({**PACKAGES, "av": ""}), ERROR, "missing: av"),
    (verdicts.versions({**PACKAGES, "ctranslate2": "4.6.0"}), ERROR, "can crash"),
    (verdicts.tested({"av": "14.2.0", "click": "8.5.1"}, TRIED), OK, "versions were tested"),
    (verdicts.tested({"av": "19.0.2"}, TRIED), OK, "versions were tested"),
    (verdicts.tested({"av": "20.0.0"}, TRIED), NOTE, "newer than tested: av 20.0.0 (tested: 14.2"),
    (verdicts.tested({"av": "20.1", "click": "8.0.9"}, TRIED), WARNING, "older than tested: click"),
    (verdicts.cpu(Cpu("Xeon", "x86_64", 8, frozenset({"avx", "avx2"}))), OK, "8 cores, avx avx2"),
    (
        verdicts.cpu(Cpu("Atom", "x86_64", 1, frozenset({"sse2"}))),
        WARNING,
        "1 core; slow without AVX2",
    ),
    (verdicts.cpu(Cpu("Apple M2", "arm64", 8)), OK, "Apple M2"),
    (verdicts.memory(8000, 16000, "", fits=None), OK, "7.8 GB of 15.6 GB free"),
    (verdicts.memory(800, 16000, "needs more", fits=False), WARNING, "needs more"),
    (verdicts.gpus(Gpus(), AUTO), NOTE, "the CPU is used"),
    (verdicts.gpus(Gpus(), ON_GPU), ERROR, "no GPU was found"),
    (verdicts.gpus(Gpus(on_bus=1), AUTO), WARNING, "driver does not respond"),
    (verdicts.gpus(ONE_GPU, AUTO), OK, "NVIDIA H100 (79.0 GB of 80.0 GB free); driver 550.1"),
    (verdicts.gpus(ONE_GPU, SECOND_GPU), ERROR, "no GPU has the number 1"),
    (verdicts.libraries(BROKEN, Gpus(), AUTO), None, ""),
    (verdicts.libraries(BROKEN, ONE_GPU, ON_CPU), None, ""),
    (verdicts.libraries(LOADED, ONE_GPU, AUTO), OK, "libcublas.so.12 loaded"),
    (verdicts.libraries(BROKEN, ONE_GPU, AUTO), ERROR, "libcublas.so.12: cannot open"),
    (verdicts.libraries(BROKEN, ONE_GPU, MAY_FALL_BACK), WARNING, "cannot load"),
    (verdicts.native(CPU_TYPES, AUTO, has_gpu=False), OK, "float32, int8 on the CPU"),
    (verdicts.native(CPU_TYPES, AUTO, has_gpu=True), ERROR, "cannot use the GPU"),
    (verdicts.native(CPU_TYPES, FLOAT16, has_gpu=False), ERROR, "not float16"),
    (verdicts.native(Native(error="no module"), AUTO, has_gpu=False), ERROR, "no module"),
    (verdicts.disk(Disk("state", "/s", 90 * GB, "ext4")), OK, "90.0 GB free in /s (ext4)"),
    (verdicts.disk(Disk("state", "/s", 90 * GB, "tmpfs")), WARNING, "are lost when"),
    (verdicts.disk(Disk("scratch", "/s", 90 * GB, "tmpfs")), WARNING, "uses memory"),
    (verdicts.disk(Disk("state", "/s", 90 * GB, "nfs4")), NOTE, "two machines"),
    (verdicts.disk(Disk("output", "/s", 50 * 2**20)), WARNING, "that is little"),
    (verdicts.disk(Disk("scratch", "/s", 50 * 2**20)), ERROR, "too little"),
    (verdicts.disk(Disk("output", "/s", 0, error="Read-only")), ERROR, "cannot write to /s"),
    (verdicts.terminal(Terminal(False, {}, 80, 24, "utf-8")), NOTE, "needs none"),
    (verdicts.terminal(screen(XTERM)), OK, "120x40, 16 million colours"),
    (verdicts.terminal(screen({**XTERM, "TMUX": "x"})), OK, "tmux"),
    (verdicts.terminal(screen({**XTERM, "NO_COLOR": "1"})), OK, "no colours"),
    (
        verdicts.terminal(replace(screen({**XTERM, "TMUX": "x"}), clipboard=False)),
        NOTE,
        "copied text stays in tmux",
    ),
    (verdicts.terminal(screen({"TERM": "dumb"})), WARNING, "dumb"),
    (verdicts.terminal(screen({})), WARNING, "TERM is not set"),
    (verdicts.terminal(screen(XTERM, encoding="latin-1")), WARNING, "latin-1"),
    (verdicts.terminal(screen(XTERM, columns=60)), WARNING, "60x40"),
    (
        verdicts.self_test(SelfTest("One, two.", " one two", 2.0, "cpu")),
        OK,
        "on cpu: one two",
    ),
    (verdicts.self_test(SelfTest("one two", "one too", 2.0, "cuda")), ERROR, "expected: one two"),
    (
        verdicts.self_test(SelfTest("one", timed_out=True, seconds=5)),
        WARNING,
        "not finished after 5 s",
    ),
    (verdicts.self_test(SelfTest("one", error="No GPU", fix="get one")), ERROR, "No GPU"),
]


@pytest.mark.parametrize(("finding", "level", "words"), CASES)
def test_verdicts(finding: CheckResult | None, level: Severity | None, words: str) -> None:
    if finding is None:
        assert level is None
        return
    assert (finding.level, words in finding.text) == (level, True), finding
    assert bool(finding.fix) is (level in {WARNING, ERROR})


def test_text_from_outside_is_harmless() -> None:
    for finding in (
        verdicts.disk(Disk("state", "/\x1b[31m", 90 * GB)),
        verdicts.terminal(screen({"TERM": "\x1b[31m"})),
        verdicts.self_test(SelfTest("one", "\x1b[31m", 1.0, "cpu")),
    ):
        assert "\x1b" not in finding.text


def finding(level: Severity) -> CheckResult:
    return CheckResult("G", "n", level, "text", "do" if level in {WARNING, ERROR} else "")


@pytest.mark.parametrize(
    ("levels", "level", "code", "words"),
    [
        ([], OK, ExitCode.DONE, "no problems"),
        ([OK, NOTE], NOTE, ExitCode.DONE, "no problems"),
        ([OK, WARNING, NOTE], WARNING, ExitCode.SOME_FAILED, "1 warning"),
        ([ERROR, WARNING, ERROR], ERROR, ExitCode.CANNOT_START, "2 problems, 1 warning"),
    ],
)
def test_all_together(levels: list[Severity], level: Severity, code: ExitCode, words: str) -> None:
    findings = [finding(one) for one in levels]
    assert worst(findings) is level
    assert exit_code(level) is code
    assert summary(findings) == words


def test_lines_have_groups_and_fixes() -> None:
    found = list(verdicts.lines([finding(OK), finding(WARNING)]))
    assert [line.split() for line in found] == [
        ["G"],
        ["ok", "n", "text"],
        ["warning", "n", "text"],
        ["fix:", "do"],
    ]
