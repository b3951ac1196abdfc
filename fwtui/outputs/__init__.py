"""Transcripts on disk: formats, reserved names, and the history of what was transcribed."""
