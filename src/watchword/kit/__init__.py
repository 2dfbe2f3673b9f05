"""Kit: what every room needs and that knows nothing of security: clock, ids, errors, marked YAML, settings, hash chain, secrets."""
