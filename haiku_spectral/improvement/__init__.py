"""A model that learns from what it wrote itself and a machine found right."""
