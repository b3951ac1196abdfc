"""The report of a batch, and bundles for bug reports."""
