"""The cost of protection, as ratios within one run."""
