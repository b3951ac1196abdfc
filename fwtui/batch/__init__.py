"""The queue at work: queue, runner, retry policy, ETA, report."""
