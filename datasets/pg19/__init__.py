"""Books from before 1919: a benchmark."""
