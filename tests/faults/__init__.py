"""Disks that fail on request: every error of the system, at every call, in every folder."""
