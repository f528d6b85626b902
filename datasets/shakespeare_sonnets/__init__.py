"""The sonnets of Shakespeare."""
