"""Lossless compression: the model drives a range coder."""
