"""``python -m watchword``: the same as the command ``watchword``."""

from watchword.cli.main import main

main()
