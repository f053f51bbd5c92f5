"""Exports as tasks: their states, their record, their slots, and who ends them. Knows no export."""
