"""What people enter about themselves and each other."""
