"""Compliance reports: what they say, and the files that they are read in."""
