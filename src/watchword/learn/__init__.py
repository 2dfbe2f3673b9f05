"""The room where the house learns: after-action reviews whose corrective actions are followed to their effect."""
