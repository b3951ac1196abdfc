"""The embedded tiny model and its clips."""
