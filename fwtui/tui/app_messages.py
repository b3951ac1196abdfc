"""Messages of our own between screens and app."""

from typing import TYPE_CHECKING

from textual.message import Message

from fwtui.core.job import JobId
from fwtui.core.settings import InterfaceSettings

if TYPE_CHECKING:
    from fwtui.config.profiles import Profile


class TranscriptWanted(Message):
    """Somebody looks at a file whose words are not all here."""

    def __init__(self, job_id: JobId) -> None:
        super().__init__()
        self.job_id = job_id


class InterfaceChanged(Message):
    """The user wants the screen to look otherwise."""

    def __init__(self, interface: InterfaceSettings) -> None:
        super().__init__()
        self.interface = interface


class ProfilesRead(Message):
    """The user's profiles, as they are in the settings file now."""

    def __init__(self, profiles: tuple["Profile", ...]) -> None:
        super().__init__()
        self.profiles = profiles
