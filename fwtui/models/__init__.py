"""Whisper models: the catalogue, those on this machine, and their download."""
