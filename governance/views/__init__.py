"""The console, a module for each noun."""
