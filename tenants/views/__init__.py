"""The console's pages about people and groups."""
