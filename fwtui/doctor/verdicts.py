"""From facts to findings. Pure: what is a problem, how bad, and what to do about it."""

from collections.abc import Iterator, Mapping, Sequence

from fwtui.core.settings import Settings
from fwtui.core.text import printable
from fwtui.doctor.facts import Cpu, Disk, Gpus, Library, Native, SelfTest, Terminal
from fwtui.doctor.results import CheckResult, Severity
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
# Bytes that should be free, and the variable or option that puts the folder elsewhere.
_ROOM: Mapping[str, tuple[int, str]] = {
    "state": (200 * _MB, "FWTUI_STATE_DIR"),
    "scratch": (1024 * _MB, "FWTUI_CACHE_DIR"),
    "output": (100 * _MB, "--output_dir"),
    "models": (0, "HF_HOME or --model_dir"),
}
_WHAT_IS_LOST = {
    "state": "interrupted batches are lost when the machine restarts",
    "scratch": "decoded sound takes memory, 115 MB for an hour",
    "output": "transcripts are lost when the machine restarts",
    "models": "models take memory, and are downloaded again after a restart",
}


def python(version: tuple[int, int, int], implementation: str, system: str) -> CheckResult:
    """The interpreter."""
    text = f"{implementation} {'.'.join(map(str, version))} on {system}"
    if version[:2] < OLDEST_PYTHON:
        return CheckResult(
            PROGRAM, "python", Severity.ERROR, text, "fwtui needs Python 3.11 or newer: install it"
        )
    return CheckResult(PROGRAM, "python", Severity.OK, text)


def versions(found: Mapping[str, str]) -> CheckResult:
    """The packages that matter; empty versions are missing ones."""
    missing = [name for name, version in found.items() if not version]
    text = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    if missing:
        return CheckResult(
            PROGRAM,
            "packages",
            Severity.ERROR,
            f"{', '.join(missing)} missing; there is {text}",
            "install again: pip install --force-reinstall fwtui",
        )
    if _numbers(found.get("ctranslate2", "")) < OLDEST_CTRANSLATE2:
        fix = "pip install --upgrade 'ctranslate2>=4.8.1'"
        text = f"{text}; this ctranslate2 can crash on word timestamps"
        return CheckResult(PROGRAM, "packages", Severity.ERROR, text, fix)
    return CheckResult(PROGRAM, "packages", Severity.OK, text)


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
        fix = "choose a small model, compute type int8 and beam size 1 (profile Fast)"
        return CheckResult(
            MACHINE, "cpu", Severity.WARNING, f"{text}; without AVX2 it is slow", fix
        )
    return CheckResult(MACHINE, "cpu", Severity.OK, text)


def memory(free: float, capacity: float, told: str, *, fits: bool | None) -> CheckResult:
    """RAM (MB); `told` is the forecast in words, `fits` None where there is none."""
    text = f"{megabytes(free)} of {megabytes(capacity)} free"
    if fits is False:
        return CheckResult(
            MACHINE,
            "memory",
            Severity.WARNING,
            f"{text}. {told}",
            "close other programs, or take smaller settings: --compute_type int8, --model small",
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
                f"{text}; there is no GPU number {lacking[0]}",
                f"set device_index to one of {', '.join(map(str, sorted(have)))}",
            )
        return CheckResult(MACHINE, "gpu", Severity.OK, text)
    level = Severity.ERROR if wanted else Severity.WARNING
    if found.on_bus:
        return CheckResult(
            MACHINE,
            "gpu",
            level,
            "there is an NVIDIA GPU, but its driver does not answer",
            "install NVIDIA's driver and restart; nvidia-smi must list the GPU",
        )
    if wanted:
        fix = "use --device auto or cpu; in a container start it with --gpus all"
        return CheckResult(MACHINE, "gpu", level, "device is cuda, but no GPU is found", fix)
    return CheckResult(MACHINE, "gpu", Severity.NOTE, "no NVIDIA GPU: the CPU does the work")


def libraries(tried: Sequence[Library], found: Gpus, settings: Settings) -> CheckResult | None:
    """CUDA's libraries; None where no GPU wants them."""
    if not found.readings or settings.model.device == "cpu":
        return None
    missing = [one for one in tried if one.error]
    if not missing:
        names = ", ".join(one.name for one in tried)
        return CheckResult(MACHINE, "cuda", Severity.OK, f"{names} can be loaded")
    text = "; ".join(printable(one.error) for one in missing)
    level = Severity.WARNING if settings.batch.cpu_fallback else Severity.ERROR
    fix = "pip install 'fwtui[cuda]', or use --device cpu"
    return CheckResult(MACHINE, "cuda", level, f"cannot be loaded: {text}", fix)


def native(found: Native, settings: Settings, has_gpu: bool) -> CheckResult:
    """CTranslate2: whether it can be imported, and compute as the settings want."""
    if found.error:
        fix = "install again: pip install --force-reinstall ctranslate2"
        text = f"ctranslate2 cannot be loaded: {printable(found.error)}"
        return CheckResult(MACHINE, "engine", Severity.ERROR, text, fix)
    model = settings.model
    on_gpu = model.device == "cuda" or (model.device == "auto" and found.gpus > 0)
    types = found.gpu_types if on_gpu else found.cpu_types
    text = f"computes with {', '.join(types)} on the {'GPU' if on_gpu else 'CPU'}"
    if has_gpu and not found.gpus and model.device != "cpu":
        fix = "update NVIDIA's driver (CUDA 12 or newer), or use --device cpu"
        return CheckResult(MACHINE, "engine", Severity.ERROR, f"{text}; it cannot use the GPU", fix)
    if model.compute_type not in {"default", "auto", *types}:
        fix = f"set compute_type to auto, or one of {', '.join(types)}"
        text = f"{text}, not with {model.compute_type} as the settings want"
        return CheckResult(MACHINE, "engine", Severity.ERROR, text, fix)
    return CheckResult(MACHINE, "engine", Severity.OK, text)


def disk(found: Disk) -> CheckResult:
    """The disk of one of our folders."""
    needed, way = _ROOM[found.name]
    where = printable(found.path)
    text = f"{megabytes(found.free / _MB)} free in {where}"
    if found.kind:
        text += f" ({found.kind})"
    elsewhere = f"put it elsewhere with {way}"
    if found.error:
        text = f"{where} cannot be written: {printable(found.error)}"
        return CheckResult(
            DISK, found.name, Severity.ERROR, text, f"check permissions, or {elsewhere}"
        )
    if found.free < needed // 10:
        text += "; that is too little"
        return CheckResult(DISK, found.name, Severity.ERROR, text, f"make room, or {elsewhere}")
    if found.free < needed:
        text += "; that is little"
        return CheckResult(DISK, found.name, Severity.WARNING, text, f"make room, or {elsewhere}")
    if found.kind in _IN_MEMORY:
        text += f": {_WHAT_IS_LOST[found.name]}"
        return CheckResult(DISK, found.name, Severity.WARNING, text, elsewhere)
    if found.kind in _NETWORK and found.name == "state":
        text += "; two machines must not share it"
        return CheckResult(DISK, found.name, Severity.NOTE, text)
    return CheckResult(DISK, found.name, Severity.OK, text)


def terminal(found: Terminal) -> CheckResult:
    """Whether the screen can be drawn, and how well."""
    environ = found.environ
    name = environ.get("TERM", "")
    if not found.tty:
        return CheckResult(TERMINAL, "terminal", Severity.NOTE, "none here; fwtui run needs none")
    text = f"{printable(name) or 'TERM is not set'}, {found.columns}x{found.lines}"
    text += f", {_colours(environ)}, {printable(found.encoding)}"
    for variable, program in (("TMUX", "tmux"), ("STY", "screen"), ("SSH_CONNECTION", "over SSH")):
        if environ.get(variable):
            text += f", {program}"
    if name in {"", "dumb", "unknown"}:
        fix = "use another terminal, or export TERM=xterm-256color"
        return CheckResult(TERMINAL, "terminal", Severity.WARNING, text, fix)
    if "utf" not in found.encoding.lower():
        fix = "export LANG=C.UTF-8; until then the screen is drawn in ASCII"
        return CheckResult(TERMINAL, "terminal", Severity.WARNING, text, fix)
    if found.columns < 80 or found.lines < 24:
        fix = "make the window 80x24 or larger"
        return CheckResult(TERMINAL, "terminal", Severity.WARNING, text, fix)
    return CheckResult(TERMINAL, "terminal", Severity.OK, text)


def _colours(environ: Mapping[str, str]) -> str:
    if environ.get("NO_COLOR"):
        return "no colours (NO_COLOR)"
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return "16 million colours"
    return "256 colours" if "256" in environ.get("TERM", "") else "few colours"


def self_test(found: SelfTest) -> CheckResult:
    """The embedded model on an embedded clip."""
    if found.error:
        return CheckResult(TEST, "self-test", Severity.ERROR, printable(found.error), found.fix)
    if found.late:
        text = f"not done after {found.seconds:.0f} s: the machine is slow, or busy"
        return CheckResult(
            TEST, "self-test", Severity.WARNING, text, "try again, with --seconds 30 if need be"
        )
    said, heard = _words(found.expected), _words(found.found)
    text = f"{found.seconds:.1f} s on {found.device}, heard: {printable(' '.join(heard))}"
    if said != heard:
        text += f"; said was: {' '.join(said)}"
        fix = "use --device cpu, and report it: the engine computes wrongly here"
        return CheckResult(TEST, "self-test", Severity.ERROR, text, fix)
    return CheckResult(TEST, "self-test", Severity.OK, text)


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "'" else " " for c in text.lower()).split()


def lines(findings: Sequence[CheckResult]) -> Iterator[str]:
    """The findings as text, by groups; each problem with its fix."""
    group = ""
    for one in findings:
        if one.group != group:
            group = one.group
            yield group
        yield f"  {one.level.value:<8} {one.name:<10} {one.text}"
        if one.fix:
            yield f"           {'':<10} fix: {one.fix}"
