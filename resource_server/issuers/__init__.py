"""Whom we trust, and their keys."""
