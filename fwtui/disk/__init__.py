"""Files that survive a crash: atomic writes, locks between processes, checksummed records."""
