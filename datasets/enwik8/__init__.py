"""The first 100 MB of a Wikipedia dump: a benchmark."""
