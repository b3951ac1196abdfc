"""Messages of our own between screens and app."""

from textual.message import Message

from fwtui.core.job import JobId


class TranscriptWanted(Message):
    """Somebody looks at a file whose words are not all here."""

    def __init__(self, job_id: JobId) -> None:
        super().__init__()
        self.job_id = job_id
