"""Pure data: jobs, segments, sessions, settings, commands and events. No I/O."""
