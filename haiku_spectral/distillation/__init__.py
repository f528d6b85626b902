"""Trained filters as sums of exponentials."""
