"""The room where everything that happened becomes a number with its interval, its coverage and its credibility."""
