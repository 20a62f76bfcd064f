"""Those who are told of every decision, once, and are never asked."""
