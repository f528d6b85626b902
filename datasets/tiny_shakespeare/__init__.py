"""Tiny Shakespeare: a benchmark of models of characters."""
