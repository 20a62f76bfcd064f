"""What processes share: a place for small values that end by themselves."""
