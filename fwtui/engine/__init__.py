"""The child process that transcribes, and its parent side."""
