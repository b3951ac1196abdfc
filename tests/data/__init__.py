"""Data that tests read, and the scripts that made some of it."""
