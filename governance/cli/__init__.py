"""What the `policy` command does and shows, a module for each noun."""
