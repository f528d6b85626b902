"""Sessions of the agent, from the transcripts below a folder, as `agent_transcripts/NAME`."""

import dataclasses
import functools
import pathlib
from collections.abc import Iterator
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from datasets import packed_builder, packing, registry, splits, text_files
from haiku_spectral.agent import document, transcript
from haiku_spectral.storage import file_name


@dataclasses.dataclass(kw_only=True, eq=False)
class TranscriptsConfig(tfds.core.BuilderConfig):
  """Some sessions. `name` is what a mixture calls them: agent_transcripts/NAME."""

  source: str = ''  # The folder; needed only to build.
  validation: float = 0.05  # Share of the sessions that is held out for evaluation in training.

  def __post_init__(self):
    """Raises ValueError for a value that is not allowed."""
    self.name = str(self.name)
    registry.check_own_name('agent_transcripts', self.name)
    splits.check_fractions(self.validation, 0.0)


class Builder(packed_builder.PackedBuilder):
  """Builds agent_transcripts/NAME from a folder; reading it back needs no folder."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES: ClassVar[dict[str, str]] = {'1.0.0': 'Initial release.'}

  def _plan(self) -> packed_builder.Plan:
    config: Any = self.builder_config
    folder = pathlib.Path(config.source).expanduser()
    paths = sorted(folder.rglob('transcript.jsonl'))
    filtered = text_files.Filtered()
    advance = self.progress('reading', sum(path.stat().st_size for path in paths))
    sizes, contents, files = {}, {}, {}
    for path in paths:
      name = path.parent.relative_to(folder).as_posix()
      try:
        data = _packed(path)
      except ValueError as error:
        filtered.add(name, 'damaged', f': {error}')
      else:
        sizes[name], contents[name] = len(data), splits.content_digest(data)
        files[name] = path
      advance(path.stat().st_size)
    if not files:
      raise ValueError(
          f'there is no transcript.jsonl of a session below {str(folder)!r}: give a folder of '
          'sessions, as agent_sessions writes it.')
    assigned = splits.assign(contents, validation=config.validation, test=0.0)
    return packed_builder.Plan(
        splits={split: [packed_builder.Document(
            id=splits.document_id(name), name=name, size=sizes[name],
            read=functools.partial(_read, files[name])) for name in names]
                for split, names in assigned.items()},
        filtered=filtered, copies=splits.count_copies(contents))

  def settings(self) -> dict[str, Any]:
    config: Any = self.builder_config
    folder = pathlib.Path(config.source).expanduser().resolve()
    return {'source': file_name.printable(folder), 'validation': config.validation}


def _packed(path: pathlib.Path) -> bytes:
  """The document of a transcript. Raises ValueError for one that is damaged or not UTF-8."""
  events = transcript.read(path)
  for event in events:
    event.text.decode()
  if not events:
    raise ValueError('it is empty')
  return packing.mark(document.of(events))


def _read(path: pathlib.Path) -> Iterator[bytes]:
  yield _packed(path)
