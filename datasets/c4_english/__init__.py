"""English web pages."""
