"""Resolve: one badge, account, device or address → one person, asset and place, as known at the time; and who is where."""
