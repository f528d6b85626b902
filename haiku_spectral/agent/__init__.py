"""A model that works towards a goal, turn by turn, and remembers over days what it did."""
