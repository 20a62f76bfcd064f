"""``python -m resource_server`` is ``resource-server``."""

import sys


def main() -> None:
    """Run the command line, or say what it needs."""
    try:
        from resource_server.cli import main as run
    except ModuleNotFoundError as error:
        if error.name != "typer":
            raise
        sys.exit("The command line needs an extra: pip install 'resource_server[cli,serve]'")
    run()


if __name__ == "__main__":
    main()
