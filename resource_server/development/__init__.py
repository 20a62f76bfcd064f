"""The embedded development authorization server."""
