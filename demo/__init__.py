"""The demo groups, made of real facts."""
