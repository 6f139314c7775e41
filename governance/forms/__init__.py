"""Forms, one for each intent; what they clean to are domain values."""
