"""How a value that a user gave is refused."""


def require(condition: bool, name: str, value: object, allowed: str) -> None:
  """Raises a ValueError that names a field or flag, its value and what is allowed.

  `name` is what the user knows it by: 'config.model.width', '--temperature'.
  """
  if not condition:
    raise ValueError(f'{name}={value!r} is not allowed: give {allowed}.')
