"""How two or more processes share the tests (``make test``): what a folder or a file starts is started once."""

from typing import Any

from xdist.scheduler import LoadScopeScheduling

FOLDERS = ("browser", "integration", "openapi", "hostile", "callers", "stores")
"""Each has servers of its own, so one process takes all of it; those that take long come first."""


class Sharing(LoadScopeScheduling):  # type: ignore[misc]  # not typed
    """Gives each process a folder or a file at a time, and the long ones first, so that all end at about the same time.

    It overrides two methods that are meant to be overridden, though their names say otherwise.
    """

    def _split_scope(self, nodeid: str) -> str:
        """What is not divided among processes."""
        return unit(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        """Take the next one: a folder before the files, which come by number of tests."""
        longest = next((one for name in FOLDERS if (one := f"tests/{name}") in self.workqueue), None)
        if longest:
            self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)


def unit(nodeid: str) -> str:
    """The folder of a test if that is one of :data:`FOLDERS`, or else its file."""
    path = nodeid.partition("::")[0]
    folders = (f"tests/{name}" for name in FOLDERS)
    return next((folder for folder in folders if path.startswith(f"{folder}/")), path)
