"""Detect: events become findings: sequences, absences, counts, travel, presence, silence and Sigma rules, each with its sentence."""
