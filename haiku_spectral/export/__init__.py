"""Trained models as files that need nothing of this library: weights, config and a loader."""
