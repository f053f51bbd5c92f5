"""What runs the service elsewhere than in a single process."""
