"""Code lengths of whole documents, by a model that can be counted by hand and by compressors."""

import json

import numpy as np
from absl.testing import absltest

from haiku_spectral import vocab
from haiku_spectral.evaluation import code_length, compressors
from tests.evaluation import toy_models

TEXTS = [('short', b'abab'), ('long', b'tararaboomdeay ' * 40), ('empty but for one', b'x')]


def by_hand(data):
  """Nats by the counting model: how often each id was read before, and a tenth."""
  counts, total = np.full(vocab.SIZE, 0.1), 0.0
  counts[vocab.BOUNDARY] += 1
  for byte in data:
    total -= np.log(counts[byte] / counts.sum())
    counts[byte] += 1
  return total


class CodeLengthTest(absltest.TestCase):

  def test_each_document_is_one_stream_whatever_the_batch_and_the_chunk(self):
    texts = [data for _, data in TEXTS]
    want = [by_hand(data) for data in texts]
    for batch_size, chunk in ((1, 7), (8, 64)):
      done = []
      got = code_length.nats(
          toy_models.counting(), None, texts, batch_size=batch_size, chunk=chunk,
          on_progress=done.append)
      np.testing.assert_allclose(got, want, rtol=1e-4)
      self.assertEqual(sum(done), sum(map(len, texts)))

  def test_sizes_are_those_of_the_compressors_and_add_up(self):
    found = code_length.documents(TEXTS, np.log(2) * np.array([8, 80, 16]))
    self.assertEqual([document.coded[code_length.MODEL] for document in found], [1, 10, 2])
    self.assertEqual(found[1].coded, {
        code_length.MODEL: 10, **compressors.sizes(TEXTS[1][1])})
    self.assertEqual(found[1].bits_per_byte(code_length.MODEL), 80 / 600)
    whole = code_length.together(found)
    self.assertEqual((whole.bytes, whole.coded[code_length.MODEL]), (605, 13))

  def test_report(self):
    found = code_length.documents(TEXTS, np.log(2) * np.array([8, 80, 16]))
    plain = json.loads(code_length.to_json(found, 'a model'))
    self.assertEqual(plain['documents'][2]['name'], 'empty but for one')
    self.assertEqual(plain['together']['coded'][code_length.MODEL], 13)
    text = code_length.to_text(found, 'a model')
    xz = sum(compressors.sizes(data)['xz -9e'] for _, data in TEXTS)
    self.assertRegex(text, r'long +600 +0\.1333')
    self.assertIn(f'{13 / xz:.3f}', text.splitlines()[-1 - 2 * bool(compressors.missing())])
    self.assertLen(code_length.figure(found).axes[0].get_yticklabels(), 4)


if __name__ == '__main__':
  absltest.main()
