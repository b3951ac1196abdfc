"""What to ask before work is interrupted."""

from fwtui.core.job import Processing
from fwtui.tui import format as fmt
from fwtui.tui.model import BatchModel
from fwtui.tui.screens.dialog import Ask
from fwtui.tui.text import base_name, clean, shown_path
from fwtui.tui.workspace import Stored


def ask_quit(model: BatchModel) -> Ask:
    """Says what is being worked on, and what is kept."""
    lines = _at_work(model)
    counts = model.counts
    where = shown_path(model.settings.output.output_dir)
    lines.append(
        "Nothing is lost: the session is kept and the next start offers to resume, inside the file "
        "at its last finished window."
    )
    lines.append("")
    lines.append(f"{fmt.files(counts.to_do)} still to do, {counts.failed:,} failed,")
    lines.append(f"{fmt.files(counts.completed)} done and safe in {where}")
    return Ask("Quit while files are being transcribed?", "\n".join(lines), "Quit", "Keep working")


def ask_change(model: BatchModel, stored: Stored) -> Ask:
    """Before another session takes the place of one that is at work."""
    name = clean(stored.session.session_id)
    lines = _at_work(model)
    lines.append(
        f"This batch stops and is kept as session {clean(model.session_id)}; it can be resumed "
        "inside the file at its last finished window."
    )
    words = "\n".join(lines)
    return Ask(f"Stop this batch and go on with {name}?", words, "Change", "Keep working")


def _at_work(model: BatchModel) -> list[str]:
    """How far the files are that are being transcribed."""
    lines = []
    for job_id in model.running:
        job, progress = model.jobs[job_id], model.progress.get(job_id)
        name = clean(base_name(job.path))
        if not isinstance(job.state, Processing) or job.state.preparing or progress is None:
            continue
        total = f" of {fmt.clock(progress.total)}" if progress.total else ""
        lines.append(f"{name} is at {fmt.clock(progress.done)}{total}.")
    return lines
