"""What a run measured, as pages for people: a report, and the card of its model."""
