"""Ingest: what arrives becomes durable at once, then an OCSF event, exactly once; what cannot be read is kept and counted."""
