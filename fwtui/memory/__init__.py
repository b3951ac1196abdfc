"""Memory: measuring, limits, forecasts, and cleanup."""
