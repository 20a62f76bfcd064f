"""The playground of ``resource-server dev``: what a token says, each check of it, and what a route would answer."""

from resource_server.playground.playground import PATH, Playground

__all__ = ["PATH", "Playground"]
