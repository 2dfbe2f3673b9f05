"""``python -m watchword``: the same as ``watchword``; how the supervisor starts its children."""

from watchword.cli.main import main

if __name__ == "__main__":
    main()
