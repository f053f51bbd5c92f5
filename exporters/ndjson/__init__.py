"""Newline-delimited JSON, which is also called JSON Lines."""
