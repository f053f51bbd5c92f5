"""The doors: each decodes, delegates to the service and encodes; nothing else."""
