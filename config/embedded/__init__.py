"""A database backend: Django's own for PostgreSQL, whose server is the embedded one."""
