"""Folders that feed the queue: which files are complete, which are new, what happens afterwards."""
