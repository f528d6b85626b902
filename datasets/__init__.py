"""Where bytes come from: one folder per TFDS builder, and what packs, mixes and batches them."""
