"""What a model recalls of its context: tasks with known answers, at any length and depth."""
