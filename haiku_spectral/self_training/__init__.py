"""Rounds of self-training: sample, verify, filter, train."""
