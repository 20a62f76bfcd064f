"""What each command of the command line does; ``cli.py`` names them and their options."""
