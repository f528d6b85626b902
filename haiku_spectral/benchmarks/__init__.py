"""What is measured, and how; baselines."""
