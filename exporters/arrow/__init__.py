"""Arrow IPC files, which are also called Feather."""
