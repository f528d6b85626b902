"""From source files to packed shards in three passes, each of which can be resumed."""
