"""CLI: the command face, ``watchword NOUN VERB``; it formats, and decides nothing."""
