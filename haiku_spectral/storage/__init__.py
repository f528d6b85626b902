"""Files that survive: atomic writes and append-only logs."""
