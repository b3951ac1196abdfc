"""The engine's speaker thread: finds out who speaks in a file while the model transcribes it.

A file is listened to from its first window on. What the model has finished waits here until its
speakers are known, while the model works on the next file. Nothing that goes wrong here fails a
file: it gets a transcript without speakers, and a warning.
"""

import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from fwtui.audio.signal import Pcm
from fwtui.core.failure import FailureKind
from fwtui.core.voices import SpeakerTask, SpeakerTurns
from fwtui.engine.classify import classify_exception
from fwtui.engine.inbox import Inbox, JobCancelled
from fwtui.engine.prepare import PreparedFile
from fwtui.engine.protocol import FileTranscribed, SpeakersFound, SpeakersHeard
from fwtui.engine.turn_finder import TurnFinders
from fwtui.errors import FwtuiError
from fwtui.memory.cleanup import return_free_pages

NICENESS = 10  # the model has 5: it gets three times as much of a busy processor
WITHOUT = "without speakers"
# Lengths differ at every call, so the C library would keep 200 MB in pieces of no use.
TRIM_GROUPS = 2


@dataclass
class _File:
    """A file on its way.

    `gone`: it was cancelled or has failed, or is done; nothing more is said of it. `taken`: the
    speaker thread closes its samples.
    """

    prepared: PreparedFile
    task: SpeakerTask
    pcm: Pcm
    gone: bool = False
    taken: bool = False
    transcribed: bool = False
    answered: bool = False


class Listener:
    """Owns the speaker thread. Its public methods belong to the main thread.

    `ended` is called, in either thread, when transcript and speakers of a file are complete.
    """

    def __init__(
        self, inbox: Inbox, finders: TurnFinders, ended: Callable[[PreparedFile], None]
    ) -> None:
        self._inbox = inbox
        self._finders = finders
        self._ended = ended
        self._changed = threading.Condition()
        self._files: list[_File] = []
        self._thread: threading.Thread | None = None

    def begin(self, prepared: PreparedFile) -> None:
        """Start listening to a file whose windows are next, if that was asked for."""
        task = prepared.request.speakers
        if task is None:
            return
        with self._changed:
            self._files.append(_File(prepared, task, prepared.pcm.reopened()))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="speakers", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def takes_over(self, prepared: PreparedFile) -> bool:
        """Whether the end of a file, whose windows are all done, has to wait for its speakers."""
        with self._changed:
            file = self._find(prepared)
            if file is None or file.answered:
                self._remove(file)
                return False
            file.transcribed = True
            self._inbox.channel.send(FileTranscribed(prepared.request.job))
            return True

    def drop(self, prepared: PreparedFile) -> None:
        """Stop listening to a file: it was cancelled, or has failed."""
        with self._changed:
            self._remove(self._find(prepared))

    def join(self) -> None:
        """Wait until all files have their speakers."""
        with self._changed:
            self._changed.wait_for(lambda: not self._files)

    def _find(self, prepared: PreparedFile) -> _File | None:
        return next((file for file in self._files if file.prepared is prepared), None)

    def _remove(self, file: _File | None) -> None:
        if file is not None:
            file.gone = True
            self._files.remove(file)
            if not file.taken:
                file.pcm.close()
            self._changed.notify_all()

    # --- speaker thread ------------------------------------------------------------------------

    def _run(self) -> None:
        _lower_priority()
        try:
            while True:
                self._listen(self._next())
        except BrokenPipeError:
            pass  # the parent has exited: the reader thread ends this process
        except BaseException:
            traceback.print_exc()
            self._inbox.end(70)
            raise

    def _next(self) -> _File:
        def waiting() -> _File | None:
            return next((file for file in self._files if not file.answered), None)

        with self._changed:
            self._changed.wait_for(waiting)
            file = waiting()
            assert file is not None
            file.taken = True
            return file

    def _listen(self, file: _File) -> None:
        request = file.prepared.request
        with contextlib.closing(file.pcm):
            try:
                answer = self._speakers(file)
            except JobCancelled:
                return
            except BrokenPipeError:
                raise
            except Exception as error:  # noqa: BLE001  the thread's outermost frame for a file
                traceback.print_exc()
                answer = SpeakerTurns(file.task.options, (), f"{WITHOUT}: {_reason(error)}")
        return_free_pages()
        with self._changed:
            if file.gone:
                return
            self._inbox.channel.send(SpeakersFound(request.job, answer))
            file.answered = True
            if not file.transcribed:
                return
        self._ended(file.prepared)
        with self._changed:
            self._remove(file)

    def _speakers(self, file: _File) -> SpeakerTurns:
        """Listen to a whole file. Raises JobCancelled."""
        job = file.prepared.request.job
        self._checkpoint(file)
        known = self._inbox.known_speakers(job) if file.prepared.resume is not None else ()
        finder = self._finders.of(file.prepared, file.pcm, file.task, known)
        for group in finder.hear():
            with self._changed:
                if file.gone:
                    raise JobCancelled
                self._inbox.channel.send(SpeakersHeard(job, group))
            if group.index % TRIM_GROUPS == 0:
                return_free_pages()
            self._checkpoint(file)
        return finder.speakers()

    def _checkpoint(self, file: _File) -> None:
        """Between two steps: wait while held. Raises JobCancelled."""
        request = file.prepared.request
        self._inbox.hold_beside(lambda: file.gone or self._inbox.is_cancelled(request.job))
        with self._changed:
            if file.gone:
                raise JobCancelled
            if file.transcribed and self._inbox.is_cancelled(request.job):
                self._remove(file)
                self._inbox.stop(request)
                raise JobCancelled


def _reason(error: Exception) -> str:
    """Why speakers are not known, in one line."""
    if isinstance(error, FwtuiError):
        return error.title
    failure = classify_exception(error)
    if failure.kind is FailureKind.OUT_OF_MEMORY:
        return "there was not enough memory to listen to the voices"
    return failure.title


def _lower_priority() -> None:
    """Lower the priority of this thread, and of those that it starts."""
    if sys.platform == "linux":  # elsewhere it is the process's
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
