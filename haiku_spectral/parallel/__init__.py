"""Meshes and placement."""
