"""`make cluster`: two replicas on one PostgreSQL, behind a proxy, on this machine."""
