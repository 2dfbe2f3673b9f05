"""Watchword: IT security and physical security see the same events, work the same incidents and are measured by the same numbers."""

__version__ = "0.1.0"
