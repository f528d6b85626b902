"""Short stories in the words of small children."""
