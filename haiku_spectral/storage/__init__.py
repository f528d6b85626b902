"""Durable files: atomic writes, append-only logs and locks."""
