"""Memory: measure, describe."""
