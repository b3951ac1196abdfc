"""What to say where the words of a file would be."""

from fwtui.core.job import Completed, Failed, Job, Pending, Skipped
from fwtui.tui.feed import Feed
from fwtui.tui.text import base_name, clean


def words_note(job: Job, feed: Feed) -> str:
    """Why there are no words."""
    match job.state:
        case Failed(failure=failure):
            return clean(str(failure))
        case Pending(done_seconds=0.0) | Skipped():
            return "Not transcribed yet"
        case Completed(segments=0):
            return "No words were found"
        case Completed() if not feed.whole:
            return "Reading the words"
        case Completed():
            return (
                "The words are not here any more: a session keeps those of finished files only "
                "until it is resumed, and no output of this file could be read back"
            )
        case _:
            return "No words yet"


def source_note(feed: Feed) -> str:
    """Where the words come from, if not from the session."""
    return f"read back from {clean(base_name(feed.source))}" if feed.source else ""
