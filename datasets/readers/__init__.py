"""From files as they are published (parquet, JSON lines, text, zip) to documents, as a stream."""
