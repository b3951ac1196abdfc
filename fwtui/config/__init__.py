"""Settings as data: their fields, sources, profiles, validation and file."""
