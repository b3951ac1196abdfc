"""Stored sessions: snapshot, journal, replay and scratch files."""
