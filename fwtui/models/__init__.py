"""The models there are, which of them are on this machine, and how they get here."""
