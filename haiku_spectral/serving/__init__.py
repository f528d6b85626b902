"""A model over HTTP: an API that OpenAI's clients know, sessions, and a page."""
