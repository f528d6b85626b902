"""Settings of property tests."""

import hypothesis


def fixed_examples(count: int = 100) -> hypothesis.settings:
  """At most `count` examples, the same in every run, however long each of them takes."""
  return hypothesis.settings(
      max_examples=count, deadline=None, derandomize=True, database=None,
      suppress_health_check=list(hypothesis.HealthCheck))
