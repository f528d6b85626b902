"""Code lengths of whole documents: what a compressor that knows the model would need.

Each document is one stream from its start, and its code length the sum of -log2 of what the model
gives each of its bytes. An arithmetic coder (`haiku_spectral.compression`) reaches it to a fraction
of a percent, but predicts byte after byte; a document is scored in chunks, many times faster.
"""

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import matplotlib
import matplotlib.figure
import numpy as np
from jax.typing import DTypeLike

from haiku_spectral import vocab
from haiku_spectral.evaluation import compressors, plot, report, streaming
from haiku_spectral.modules import spectral_gpt

MODEL = 'this model'
TOGETHER = 'together'
DRAWN = 12  # Documents of the plot: the longest.
_COLOURS = {MODEL: plot.FULL_COLOUR, 'zpaq -m5': plot.CUT_COLOUR, 'PPMd order 6': plot.GAIN_COLOUR}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Document:
  """A document, and its size by each way to code it."""

  name: str
  bytes: int
  coded: dict[str, float]  # Bytes: this model, then the compressors that can be run here.

  def bits_per_byte(self, coder: str) -> float:
    """The size relative to the document's."""
    return 8 * self.coded[coder] / self.bytes


def nats(
    model: spectral_gpt.Model, params: Any, texts: Sequence[bytes], *, batch_size: int = 8,
    chunk: int = 1024, dtype: DTypeLike = jnp.float32,
    on_progress: Callable[[int], None] | None = None,
) -> np.ndarray:
  """[N] float64: the negative log-likelihood of each of N texts, in nats.

  `params` are in `dtype`, which is also that of the state. There is one device call per `chunk`
  bytes of at most `batch_size` texts, of fewer where one long text is most of the work.
  """
  order = sorted(range(len(texts)), key=lambda number: -len(texts[number]))
  rows = max(1, min(batch_size, sum(map(len, texts)) // max(map(len, texts))))
  sums = np.zeros(len(texts))
  for scores in streaming.score(
      model, params,
      (streaming.Sequence(number, vocab.BOUNDARY, texts[number]) for number in order),
      batch_size=rows, chunk=chunk, dtype=dtype):
    sums[scores.key] += scores.nll.sum(dtype=np.float64)
    if on_progress:
      on_progress(scores.nll.size)
  return sums


def documents(
    texts: Sequence[tuple[str, bytes]], model_nats: np.ndarray,  # [N]
    on_progress: Callable[[int], None] | None = None,
) -> list[Document]:
  """The sizes of named texts by the model, and by the compressors that can be run here."""
  found = []
  for (name, data), cost in zip(texts, model_nats, strict=True):
    coded = {MODEL: float(cost / np.log(2) / 8), **compressors.sizes(data)}
    found.append(Document(name=name, bytes=len(data), coded=coded))
    if on_progress:
      on_progress(len(data))
  return found


def together(found: Sequence[Document]) -> Document:
  """All documents as one: their sizes are added."""
  return Document(
      name=TOGETHER, bytes=sum(document.bytes for document in found),
      coded={coder: sum(document.coded[coder] for document in found) for coder in found[0].coded})


def to_json(found: Sequence[Document], source: str) -> str:
  """The documents, and all together, as JSON."""
  def plain(document: Document) -> dict[str, Any]:
    return {**dataclasses.asdict(document),
            'bits_per_byte': {coder: document.bits_per_byte(coder) for coder in document.coded}}

  return json.dumps({
      'source': source, 'missing': compressors.missing(),
      'documents': [plain(document) for document in found],
      TOGETHER: plain(together(found))}, indent=2)


def to_text(found: Sequence[Document], source: str) -> str:
  """A table of bits per byte with a line per document, and this model relative to the others."""
  coders, whole = list(found[0].coded), together(found)
  rows = [[document.name, f'{document.bytes:,}',
           *(f'{document.bits_per_byte(coder):.4f}' for coder in coders)]
          for document in (*found, whole)]
  relative = ['this model, relative', '', *(
      f'{whole.coded[MODEL] / whole.coded[coder]:.3f}' for coder in coders)]
  lines = [source, 'Code length of whole documents, each as one stream, in bits per byte.', '',
           *report.aligned(['document', 'bytes', *coders], [*rows, relative], words=1)]
  if compressors.missing():
    lines += ['', f'Not installed: {", ".join(compressors.missing())}.']
  return '\n'.join(lines)


def figure(found: Sequence[Document]) -> matplotlib.figure.Figure:
  """A group of bars per document, the longest ones, and one for all together."""
  longest = sorted(found, key=lambda document: -document.bytes)[:DRAWN]
  rows, coders = [*longest, together(found)], list(found[0].coded)
  height = 0.8 / len(coders)
  with matplotlib.rc_context(plot.STYLE | {'axes.grid.axis': 'x'}):
    drawing = matplotlib.figure.Figure(
        figsize=(7.6, 1.5 + 0.8 * len(rows)), layout='constrained')
    axes = drawing.subplots()
    for number, coder in enumerate(coders):
      shift = height * (number - (len(coders) - 1) / 2)
      colour = _COLOURS.get(coder, str(0.45 + 0.1 * (number % 4)))
      values = [row.bits_per_byte(coder) for row in rows]
      bars = axes.barh(
          np.arange(len(rows)) + shift, values, height=0.92 * height, color=colour, label=coder)
      if coder in _COLOURS:
        axes.bar_label(bars, fmt='%.3f', padding=2, fontsize=7)
    axes.set_yticks(range(len(rows)), [
        f'{row.name}\n{plot.bytes_label(row.bytes)}' for row in rows], fontsize=8.5,
        parse_math=False)
    axes.invert_yaxis()
    axes.tick_params(axis='y', length=0)
    axes.set(xlabel='bits per byte', title='Code length of whole documents')
    drawing.legend(loc='outside lower center', ncols=4, fontsize=8.5)
  return drawing
