"""Runs untrusted code in isolation. Stands alone: needs only Python."""
