"""English text of many kinds."""
