"""How the state database came to what it is: Alembic's scripts, one a version."""
