"""App: the composition root: settings in, a running Watchword out."""
