"""Verdicts on facts: what is a problem, how severe, and how to fix it. Pure."""

import shlex
from collections.abc import Iterator, Mapping, Sequence

from fwtui.core.settings import Settings
from fwtui.core.text import printable
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
)
from fwtui.models.catalogue import megabytes

PROGRAM, MACHINE, MODELS, DISK, TERMINAL, TEST = (
    "Program",
    "Machine",
    "Models",
    "Disk",
    "Terminal",
    "Self-test",
)
OLDEST_PYTHON = (3, 11)
OLDEST_CTRANSLATE2 = (4, 8, 1)
_IN_MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs"})
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afpfs"})
_MB = 2**20
# Bytes that should be free, and the variable or option that changes the folder.
_NEEDED: Mapping[str, tuple[int, str]] = {
    "state": (200 * _MB, "FWTUI_STATE_DIR"),
    "scratch": (1024 * _MB, "FWTUI_CACHE_DIR"),
    "output": (100 * _MB, "--output_dir"),
    "models": (0, "HF_HOME or --model_dir"),
}
_IN_MEMORY_RISK = {
    "state": "sessions are lost when the machine restarts",
    "scratch": "decoded audio uses memory, 115 MB per hour",
    "output": "transcripts are lost when the machine restarts",
    "models": "models use memory, and must be downloaded again after a restart",
}


def python(version: tuple[int, int, int], implementation: str, system: str) -> CheckResult:
    """The interpreter."""
    text = f"{implementation} {'.'.join(map(str, version))} on {system}"
    if version[:2] < OLDEST_PYTHON:
        return CheckResult(PROGRAM, "python", Severity.ERROR, text, "install Python 3.11 or newer")
    return CheckResult(PROGRAM, "python", Severity.OK, text)


def versions(found: Mapping[str, str]) -> CheckResult:
    """The important packages; an empty version means missing."""
    missing = [name for name, version in found.items() if not version]
    text = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    if missing:
        return CheckResult(
            PROGRAM,
            "packages",
            Severity.ERROR,
            f"missing: {', '.join(missing)}; installed: {text}",
            "reinstall: pip install --force-reinstall fwtui",
        )
    if _numbers(found.get("ctranslate2", "")) < OLDEST_CTRANSLATE2:
        fix = "pip install --upgrade 'ctranslate2>=4.8.1'"
        text = f"{text}; this version of ctranslate2 can crash with word timestamps"
        return CheckResult(PROGRAM, "packages", Severity.ERROR, text, fix)
    return CheckResult(PROGRAM, "packages", Severity.OK, text)


def sleep(refused: str, settings: Settings) -> CheckResult:
    """Whether the machine stays awake while a batch runs; `refused`: why that is not possible."""
    if not settings.batch.keep_awake:
        text = "may fall asleep while a batch runs: keep_awake is off"
        return CheckResult(MACHINE, "sleep", Severity.OK, text)
    if refused:
        text = f"may fall asleep while a batch runs: {printable(refused)}"
        return CheckResult(MACHINE, "sleep", Severity.NOTE, text)
    return CheckResult(MACHINE, "sleep", Severity.OK, "is kept awake while a batch runs")


def tested(found: Mapping[str, str], ranges: Mapping[str, tuple[str, str]]) -> CheckResult:
    """Whether the installed versions lie between the oldest and the newest tested ones."""
    installed = {name: version for name in ranges if (version := found.get(name))}
    older = [n for n, version in installed.items() if _numbers(version) < _numbers(ranges[n][0])]
    newer = [n for n, version in installed.items() if _numbers(version) > _numbers(ranges[n][1])]
    text = "; ".join(
        f"{side} than tested: "
        + ", ".join(f"{n} {installed[n]} (tested: {' to '.join(ranges[n])})" for n in names)
        for side, names in (("older", older), ("newer", newer))
        if names
    )
    if older:
        pins = " ".join(f"'{name}>={ranges[name][0]},<={ranges[name][1]}'" for name in older)
        return CheckResult(PROGRAM, "versions", Severity.WARNING, text, f"pip install {pins}")
    if newer:
        return CheckResult(PROGRAM, "versions", Severity.NOTE, text)
    return CheckResult(PROGRAM, "versions", Severity.OK, "all package versions were tested")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3] if part.isdigit())


def cpu(found: Cpu) -> CheckResult:
    """The processor."""
    good = [name for name in ("avx", "avx2", "avx512f", "avx512_vnni") if name in found.flags]
    cores = f"{found.cores} core{'' if found.cores == 1 else 's'}"
    text = ", ".join(part for part in (printable(found.name), cores, " ".join(good)) if part)
    if found.flags and found.machine in {"x86_64", "AMD64"} and "avx2" not in found.flags:
        fix = "use a small model, compute type int8 and beam size 1 (profile Fast)"
        return CheckResult(MACHINE, "cpu", Severity.WARNING, f"{text}; slow without AVX2", fix)
    return CheckResult(MACHINE, "cpu", Severity.OK, text)


def memory(free: float, capacity: float, forecast: str, *, fits: bool | None) -> CheckResult:
    """Memory in MB, with the forecast for a batch; `fits` is None if there is none."""
    text = f"{megabytes(free)} of {megabytes(capacity)} free"
    if fits is False:
        return CheckResult(
            MACHINE,
            "memory",
            Severity.WARNING,
            f"{text}. {forecast}",
            "close other programs, or use less: --compute_type int8, --model small",
        )
    return CheckResult(MACHINE, "memory", Severity.OK, text)


def gpus(found: Gpus, settings: Settings) -> CheckResult:
    """The GPUs and their driver."""
    wanted = settings.model.device == "cuda"
    if found.readings:
        names = ", ".join(
            f"{printable(gpu.name)} ({megabytes(gpu.total - gpu.used)} of "
            f"{megabytes(gpu.total)} free)"
            for gpu in found.readings
        )
        text = f"{names}; driver {found.driver}, CUDA {found.cuda}"
        have = {gpu.index for gpu in found.readings}
        lacking = [index for index in settings.model.device_indexes if index not in have]
        if lacking and settings.model.device != "cpu":
            return CheckResult(
                MACHINE,
                "gpu",
                Severity.ERROR,
                f"{text}; no GPU has the number {lacking[0]}",
                f"set device_index to one of {', '.join(map(str, sorted(have)))}",
            )
        return CheckResult(MACHINE, "gpu", Severity.OK, text)
    level = Severity.ERROR if wanted else Severity.WARNING
    if found.on_bus:
        return CheckResult(
            MACHINE,
            "gpu",
            level,
            "an NVIDIA GPU is present, but its driver does not respond",
            "install the NVIDIA driver and restart; nvidia-smi must list the GPU",
        )
    if wanted:
        fix = "use --device auto or cpu; start containers with --gpus all"
        return CheckResult(MACHINE, "gpu", level, "device is cuda, but no GPU was found", fix)
    return CheckResult(MACHINE, "gpu", Severity.NOTE, "no NVIDIA GPU; the CPU is used")


def libraries(tried: Sequence[Library], found: Gpus, settings: Settings) -> CheckResult | None:
    """The CUDA libraries; None if no GPU needs them."""
    if not found.readings or settings.model.device == "cpu":
        return None
    missing = [one for one in tried if one.error]
    if not missing:
        names = ", ".join(one.name for one in tried)
        return CheckResult(MACHINE, "cuda", Severity.OK, f"{names} loaded")
    text = "; ".join(printable(one.error) for one in missing)
    level = Severity.WARNING if settings.batch.cpu_fallback else Severity.ERROR
    fix = "pip install 'fwtui[cuda]', or use --device cpu"
    return CheckResult(MACHINE, "cuda", level, f"cannot load {text}", fix)


def native(found: Native, settings: Settings, has_gpu: bool) -> CheckResult:
    """CTranslate2: whether it can be imported and supports the settings."""
    if found.error:
        fix = "reinstall: pip install --force-reinstall ctranslate2"
        text = f"cannot load ctranslate2: {printable(found.error)}"
        return CheckResult(MACHINE, "engine", Severity.ERROR, text, fix)
    model = settings.model
    on_gpu = model.device == "cuda" or (model.device == "auto" and found.gpus > 0)
    types = found.gpu_types if on_gpu else found.cpu_types
    text = f"supports {', '.join(types)} on the {'GPU' if on_gpu else 'CPU'}"
    if has_gpu and not found.gpus and model.device != "cpu":
        fix = "update the NVIDIA driver (CUDA 12 or newer), or use --device cpu"
        return CheckResult(MACHINE, "engine", Severity.ERROR, f"{text}; it cannot use the GPU", fix)
    if model.compute_type not in {"default", "auto", *types}:
        fix = f"set compute_type to auto, or one of {', '.join(types)}"
        text = f"{text}, but not {model.compute_type} as in the settings"
        return CheckResult(MACHINE, "engine", Severity.ERROR, text, fix)
    return CheckResult(MACHINE, "engine", Severity.OK, text)


def disk(found: Disk) -> CheckResult:
    """The disk of one of the folders of fwtui."""
    needed, option = _NEEDED[found.name]
    where = printable(found.path)
    text = f"{megabytes(found.free / _MB)} free in {where}"
    if found.kind:
        text += f" ({found.kind})"
    elsewhere = f"choose another folder with {option}"
    if found.error:
        text = f"cannot write to {where}: {printable(found.error)}"
        return CheckResult(
            DISK, found.name, Severity.ERROR, text, f"check permissions, or {elsewhere}"
        )
    if found.open_to:
        text += f"; {found.open_to} can write to it, and so decide what fwtui does"
        fix = f"chmod -R go-w {shlex.quote(found.path)}, or {elsewhere}"
        return CheckResult(DISK, found.name, Severity.WARNING, text, fix)
    if found.free < needed // 10:
        text += "; too little"
        return CheckResult(DISK, found.name, Severity.ERROR, text, f"free up space, or {elsewhere}")
    if found.free < needed:
        text += "; that is little"
        return CheckResult(
            DISK, found.name, Severity.WARNING, text, f"free up space, or {elsewhere}"
        )
    if found.kind in _IN_MEMORY:
        text += f": {_IN_MEMORY_RISK[found.name]}"
        return CheckResult(DISK, found.name, Severity.WARNING, text, elsewhere)
    if found.kind in _NETWORK and found.name == "state":
        text += "; it must not be shared by two machines"
        return CheckResult(DISK, found.name, Severity.NOTE, text)
    return CheckResult(DISK, found.name, Severity.OK, text)


def terminal(found: Terminal) -> CheckResult:
    """Whether the terminal can show the screen."""
    environ = found.environ
    name = environ.get("TERM", "")
    if not found.tty:
        return CheckResult(TERMINAL, "terminal", Severity.NOTE, "no terminal; fwtui run needs none")
    text = f"{printable(name) or 'TERM is not set'}, {found.columns}x{found.lines}"
    text += f", {_colours(environ)}, {printable(found.encoding)}"
    for variable, program in (("TMUX", "tmux"), ("STY", "screen"), ("SSH_CONNECTION", "over SSH")):
        if environ.get(variable):
            text += f", {program}"
    if name in {"", "dumb", "unknown"}:
        fix = "use another terminal, or export TERM=xterm-256color"
        return CheckResult(TERMINAL, "terminal", Severity.WARNING, text, fix)
    if "utf" not in found.encoding.lower():
        fix = "export LANG=C.UTF-8; until then the screen uses ASCII"
        return CheckResult(TERMINAL, "terminal", Severity.WARNING, text, fix)
    if found.columns < 80 or found.lines < 24:
        fix = "enlarge the window to at least 80x24"
        return CheckResult(TERMINAL, "terminal", Severity.WARNING, text, fix)
    if not found.clipboard:
        text += "; copied text stays in tmux (unless set -as terminal-features ',*:clipboard')"
        return CheckResult(TERMINAL, "terminal", Severity.NOTE, text)
    return CheckResult(TERMINAL, "terminal", Severity.OK, text)


def _colours(environ: Mapping[str, str]) -> str:
    if environ.get("NO_COLOR"):
        return "no colours (NO_COLOR)"
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return "16 million colours"
    return "256 colours" if "256" in environ.get("TERM", "") else "few colours"


def self_test(found: SelfTest) -> CheckResult:
    """The transcript of the bundled clip."""
    if found.error:
        return CheckResult(TEST, "self-test", Severity.ERROR, printable(found.error), found.fix)
    if found.timed_out:
        text = f"not finished after {found.seconds:.0f} s: the machine is slow or busy"
        return CheckResult(
            TEST, "self-test", Severity.WARNING, text, "try again, with --seconds 30 if necessary"
        )
    expected, transcript = _words(found.expected), _words(found.found)
    text = f"{found.seconds:.1f} s on {found.device}: {printable(' '.join(transcript))}"
    if expected != transcript:
        text += f"; expected: {' '.join(expected)}"
        fix = "use --device cpu, and report this: the engine computes wrong results"
        return CheckResult(TEST, "self-test", Severity.ERROR, text, fix)
    return CheckResult(TEST, "self-test", Severity.OK, text)


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "'" else " " for c in text.lower()).split()


def lines(results: Sequence[CheckResult]) -> Iterator[str]:
    """The results as text, by group, each problem with its fix."""
    group = ""
    for one in results:
        if one.group != group:
            group = one.group
            yield group
        yield f"  {one.level.value:<8} {one.name:<10} {one.text}"
        if one.fix:
            yield f"           {'':<10} fix: {one.fix}"
