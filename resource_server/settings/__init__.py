"""The configuration of the server that runs by itself: environment and TOML file, strictly."""

from resource_server.settings.settings import PREFIX, Settings

__all__ = ["PREFIX", "Settings"]
