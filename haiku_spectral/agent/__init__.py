"""An agent: a model that works towards a goal, turn by turn, and remembers it over days."""
