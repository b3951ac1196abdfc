"""Checks of this machine: facts, verdicts on them, and a fix for each problem."""
