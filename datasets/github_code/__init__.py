"""Code from GitHub, by language and licence."""
