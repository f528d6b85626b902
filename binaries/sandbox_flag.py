"""The flag that chooses how untrusted code is isolated."""

from absl import flags


def define(what: str) -> flags.FlagHolder[str]:
  """`--sandbox`, of programs that execute `what`."""
  return flags.DEFINE_enum(
      'sandbox', 'bwrap', ['bwrap', 'landlock'], f'Isolation of {what}: bwrap, or landlock, a '
      'single layer for machines without user namespaces.')
