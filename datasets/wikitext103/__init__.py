"""Articles of the English Wikipedia: a benchmark."""
