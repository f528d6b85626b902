"""How the rounds of an arm may end before the last one."""


class Mastered(Exception):
  """The model solves nearly all problems of every depth: nothing is left to learn."""


class NoSignal(Exception):
  """The model solves nothing at the frontier, so there is nothing to learn from."""


class Regression(Exception):
  """A round has made the model worse than is allowed."""


class Stopped(Exception):
  """A signal came; the same command goes on."""
