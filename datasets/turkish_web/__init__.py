"""Turkish web pages."""
