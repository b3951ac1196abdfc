"""A report as lines, laid out for a width."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from fwtui.core.job import Completed
from fwtui.core.text import clock, percent, without_name
from fwtui.core.view import JobCounts
from fwtui.report.report import BatchReport, RemarkKind, remarks
from fwtui.tui.formatting import (
    base_name,
    clean,
    file_count,
    fit,
    fit_middle,
    fit_right,
    memory_size,
    outputs_location,
    sentence,
    speed_factor,
    width,
    wrap,
)
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.widgets.paint import Piece, bar, parts_bar


def area_chart(
    values: Sequence[float], cells: int, rows: int, top: float, glyphs: Glyphs
) -> list[str]:
    """`values` from 0 to `top`, stretched over `cells` x `rows`; the top line first."""
    if cells <= 0 or rows <= 0 or not values:
        return []
    steps = len(glyphs.levels) - 1
    scale = rows * steps / (top or 1.0)
    heights = [
        max(1, min(rows * steps, round(_at(values, column, cells) * scale)))
        for column in range(cells)
    ]
    return [
        "".join(glyphs.levels[max(0, min(steps, height - row * steps))] for height in heights)
        for row in range(rows - 1, -1, -1)
    ]


def _at(values: Sequence[float], column: int, columns: int) -> float:
    """The highest of a column's values, so that every peak is shown."""
    start = column * len(values) // columns
    end = (column + 1) * len(values) // columns
    return max(values[start : max(end, start + 1)])


LABEL = 13
TOTALS_CELLS = 46
SIDE_BY_SIDE = 96
PLOT_ROWS = 8
AXIS = 9
MOST_SLOW = 8
MOST_REMARKS = 200

Line = list[Piece]


def report_lines(report: BatchReport, glyphs: Glyphs, cells: int) -> list[Line]:
    """The whole report, in lines of at most `cells`."""
    totals = list(_totals(report, glyphs))
    lines: list[Line] = [*_states(report, cells, glyphs), []]
    if cells >= SIDE_BY_SIDE:
        plot = _plot(report, cells - TOTALS_CELLS - 2, glyphs)
        lines += _beside(totals, plot, TOTALS_CELLS)
    else:
        plot = _plot(report, cells, glyphs)
        lines += [*totals, *([[]] if plot else []), *plot]
    lines += _slowest(report, cells, glyphs)
    for kind, found in remarks(report).items():
        lines += _remarks(kind, found, cells, glyphs)
    return lines


def _title(title: str) -> list[Line]:
    return [[], [(f" {title}", "key")]]


def _beside(left: Sequence[Line], right: Sequence[Line], cells: int) -> list[Line]:
    lines = []
    for at in range(max(len(left), len(right))):
        first = left[at] if at < len(left) else []
        gap = cells - sum(width(text) for text, _ in first)
        lines.append(
            [*first, (" " * max(1, gap), "plain"), *(right[at] if at < len(right) else [])]
        )
    return lines


def _states(report: BatchReport, cells: int, glyphs: Glyphs) -> list[Line]:
    """How many files are in which state: as text, and as one bar."""
    if not report.jobs:
        return [[(" No files", "dim")]]
    counts = JobCounts()
    counts.add_all(report.jobs)
    shown = [state for state in _counted(counts, glyphs) if state[0]]
    total = (f" {file_count(counts.total)}", "strong")
    words, signs = (
        [
            total,
            *((f"  {sign} {count:,}{f' {name}' * named}", ink) for count, name, sign, ink in shown),
        ]
        for named in (True, False)
    )
    line = words if sum(width(text) for text, _ in words) <= cells else signs
    progress = (fit_right(percent(report.shares.finished), 5), "strong")
    return [line, [(" ", "plain"), *parts_bar(report.shares, cells - 7, glyphs), progress]]


def _counted(counts: JobCounts, glyphs: Glyphs) -> Iterable[tuple[int, str, str, str]]:
    """Files by state, with its name, sign and ink; those to check are among the done ones."""
    return (
        (counts.completed, "done", glyphs.completed, "good"),
        (counts.to_check, "to check", glyphs.check, "warn"),
        (counts.failed, "failed", glyphs.failed, "bad"),
        (counts.unfinished, "left", glyphs.pending, "primary"),
        (counts.cancelled, "cancelled", glyphs.cancelled, "warn"),
        (counts.skipped, "skipped", glyphs.skipped, "dim"),
    )


def _totals(report: BatchReport, glyphs: Glyphs) -> Iterator[Line]:
    done = [job.state for job in report.jobs if isinstance(job.state, Completed)]
    segments = sum(state.segments for state in done)
    languages = Counter(state.language for state in done if state.language)
    spoken = ", ".join(f"{clean(code)} {count:,}" for code, count in languages.most_common(4))
    model = clean(base_name(report.settings.model.model.rstrip("/\\")))
    dot = f" {glyphs.dot} "
    rows = [
        ("Audio", clock(report.audio_seconds) if done else ""),
        ("Processing", clock(report.work_seconds) if done else ""),
        ("Run time", clock(report.seconds) if report.seconds > 0 else ""),
        ("Speed", f"{speed_factor(report.speed)}{glyphs.times} real time" if report.speed else ""),
        ("Segments", f"{segments:,}" if segments else ""),
        ("Languages", spoken),
        ("Peak memory", memory_size(report.peak_rss) if report.peak_rss else ""),
        ("Retried", file_count(len(report.retried)) if report.retried else ""),
        ("Model", dot.join((model, report.settings.model.compute_type))),
        ("Transcripts", outputs_location(report.settings.output)),
    ]
    for label, value in rows:
        if value:
            ink = "strong" if label == "Speed" else "plain"
            text = fit_middle(value, min(width(value), TOTALS_CELLS - LABEL - 2), glyphs.ellipsis)
            yield [(f" {label:<{LABEL}}", "dim"), (text, ink)]


def _plot(report: BatchReport, cells: int, glyphs: Glyphs) -> list[Line]:
    """Memory over time, with its axes."""
    room = cells - AXIS - 2
    if len(report.memory) < 2 or room < 10:
        return []
    values = [point.rss for point in report.memory]
    top = max(values) * 1.05
    rows = area_chart(values, room, PLOT_ROWS, top, glyphs)
    lines: list[Line] = [[(" " + fit("Memory use", cells - 1), "key")]]
    side, corner, along = ("|", "+", "-") if glyphs.ascii else ("│", "└", "─")
    for at, row in enumerate(rows):
        named = at % 2 == 0
        label = memory_size(top * (len(rows) - at) / len(rows)) if named else ""
        lines.append([(fit_right(label, AXIS), "dim"), (side, "faint"), (row, "curve")])
    lines.append([(" " * AXIS, "dim"), (corner + along * room, "faint")])
    step = report.memory[1].seconds - report.memory[0].seconds
    last = report.memory[-1].seconds + step
    left, middle, right = "0", clock(last / 2), clock(last)
    space = room - width(left) - width(middle) - width(right)
    gaps = (space // 2, space - space // 2)
    marks = f"{left}{' ' * gaps[0]}{middle}{' ' * gaps[1]}{right}"
    lines.append([(" " * (AXIS + 1) + marks, "dim")])
    return lines


def _slowest(report: BatchReport, cells: int, glyphs: Glyphs) -> list[Line]:
    slow = report.slowest(MOST_SLOW)
    if len(slow) < 2:
        return []
    lines = _title("Slowest files")
    fastest = max(speed for _, _, speed in slow)
    bars = min(24, cells // 5)
    name = cells - bars - 12 - (20 if cells >= 60 else 0)
    for job, state, speed in slow:
        pace = speed_factor(speed) + glyphs.times
        line: Line = [
            ("  " + fit_middle(clean(base_name(job.path)), name, glyphs.ellipsis), "plain")
        ]
        if cells >= 60:
            took = f"{clock(state.audio_timed)} in {clock(state.work_seconds)}"
            line.append((fit_right(took, 20), "dim"))
        line += [(fit_right(pace, 8) + " ", "strong"), *bar(speed / fastest, bars, glyphs, "curve")]
        lines.append(line)
    return lines


def _remarks(
    kind: RemarkKind, found: Sequence[tuple[str, Sequence[str]]], cells: int, glyphs: Glyphs
) -> Iterable[Line]:
    if not found:
        return []
    lines = _title(f"{kind}  {glyphs.dot}  {file_count(len(found))}")
    shown = found[:MOST_REMARKS]
    for number, (path, remarks_on_file) in enumerate(shown, 1):
        name = fit_middle(clean(base_name(path)), max(1, cells - 4), glyphs.ellipsis).rstrip()
        lines.append([(f"  {glyphs.bullet} ", _remark_ink(kind)), (name, "plain")])
        if number < len(shown) and list(shown[number][1]) == list(remarks_on_file):
            continue  # what is the same of several files is said once, below the last
        for at, remark in enumerate(remarks_on_file):
            ink = _remark_ink(kind) if at == 0 else "dim"
            # The line above has the name already.
            text = sentence(clean(without_name(remark, base_name(path))))
            lines += [[(" " * 4 + line, ink)] for line in wrap(text, max(8, cells - 5))]
    if len(found) > MOST_REMARKS:
        lines.append([(f"    and {len(found) - MOST_REMARKS:,} more: see an export", "dim")])
    return lines


def _remark_ink(kind: RemarkKind) -> str:
    match kind:
        case RemarkKind.FAILURES:
            return "bad"
        case RemarkKind.ATTEMPTS | RemarkKind.WARNINGS | RemarkKind.TO_CHECK:
            return "warn"
        case RemarkKind.NOT_DONE | RemarkKind.SPEAKERS:
            return "dim"
