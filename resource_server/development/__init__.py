"""The embedded development authorization server, and the mint that makes its tokens. Not for production.

Imports nothing else of this project, and nothing else but ``resource-server dev`` and tests may import it.
"""
