"""Simulate: a site that lives: normal days and attack stories with known truth, in the real formats of real sources."""
