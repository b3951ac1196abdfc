"""Sessions that survive anything: atomic files, journal, lock, scratch."""
