"""Whether this machine is fit for fwtui: facts, verdicts on them, and the fix of each problem."""
