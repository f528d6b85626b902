"""A page as data: what a report says, whether it is shown as HTML or as Markdown.

All text is plain; `code` in back quotes and **bold** are the only marks.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Paragraph(NamedTuple):
  """Prose."""

  text: str


class Quote(NamedTuple):
  """Prose of somebody else, as it is: the description of a dataset."""

  text: str


class Fact(NamedTuple):
  """A number that is shown large."""

  label: str
  value: str
  note: str = ''


class Facts(NamedTuple):
  """Numbers side by side."""

  facts: Sequence[Fact]


class Table(NamedTuple):
  """Rows of cells. Columns whose cells are all numbers stand on the right."""

  header: Sequence[str]
  rows: Sequence[Sequence[str]]
  folded: str = ''  # A title under which the table is hidden until somebody asks; '': it is shown.
  marked: frozenset[int] = frozenset()  # Rows that stand out.


class Line(NamedTuple):
  """One line of a chart."""

  name: str
  x: Sequence[float]
  y: Sequence[float | None]  # None: not known there.
  low: Sequence[float | None] = ()  # The ends of intervals, drawn as a band.
  high: Sequence[float | None] = ()
  dashed: bool = False


class Chart(NamedTuple):
  """Lines over an axis."""

  title: str
  x_label: str
  y_label: str
  lines: Sequence[Line]
  bytes_x: bool = False  # The axis counts bytes, and grows by factors of two.
  log_y: bool = False
  picture: str = ''  # A file beside the report that shows the same, for formats that cannot draw.


class HeatMap(NamedTuple):
  """Shares from 0 to 1 in a grid."""

  title: str
  note: str
  corner: str  # What rows and columns are.
  columns: Sequence[str]
  rows: Sequence[str]
  shares: Sequence[Sequence[float | None]]


class HeatMaps(NamedTuple):
  """Grids side by side."""

  maps: Sequence[HeatMap]
  picture: str = ''


class Picture(NamedTuple):
  """An image that lies beside the report."""

  name: str
  png: bytes
  about: str


class Sample(NamedTuple):
  """Generated text behind its prompt."""

  prompt: str
  text: str
  note: str


class Code(NamedTuple):
  """Text for programs."""

  language: str
  text: str


class Command(NamedTuple):
  """What made the numbers above, or makes them again."""

  command: str
  verb: str = 'Measured by'


class Missing(NamedTuple):
  """A measurement that there is not."""

  what: str
  command: str  # What makes it.


Block = (
    Paragraph | Quote | Facts | Table | Chart | HeatMaps | Picture | Sample | Code | Command
    | Missing)


class Section(NamedTuple):
  """A heading and what stands below it."""

  title: str
  blocks: Sequence[Block]


class Document(NamedTuple):
  """A whole page."""

  title: str
  subtitle: str
  sections: Sequence[Section]
