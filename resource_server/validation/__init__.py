"""Station 2: from credentials to verified facts."""
