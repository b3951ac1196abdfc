"""What can be in the inbox of a runner: commands, and what comes from threads and clocks."""

from fwtui.batch.disk_wait import Cleared
from fwtui.batch.incoming import LookedUp, LookedUpAll
from fwtui.batch.messages import (
    LengthFound,
    Overdue,
    Sampled,
    Settled,
    SlotMessage,
    StillSkipping,
    Unused,
)
from fwtui.core.commands import AnyCommand
from fwtui.watch.news import News

# What threads put there.
Posted = SlotMessage | LookedUp | LookedUpAll | Cleared | News
Clock = LengthFound | Overdue | StillSkipping | Unused | Sampled
Message = AnyCommand | Posted | Clock | Settled
