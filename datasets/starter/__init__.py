"""The text that the repository ships: Turkish, English and code."""
