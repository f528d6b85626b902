"""Makes the dummy_data/ of every builder: a few made-up documents in the format of the source.

  python -m tests.datasets.dummy_sources

What it writes is committed beside the builders, so that TFDS's own test finds it there.
"""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from datasets import splits
from datasets.golden import golden_dataset_builder
from haiku_spectral.tasks import verified_sample as record
from tests.datasets.readers import source_files

ROOT = pathlib.Path(__file__).parents[2] / 'datasets'

_TURKISH = (
    ('Köy yolunda yağmur vardı; çocuklar okuldan dönerken büyük çınarın altında bekledi.',
     'Dedeleri onlara eski değirmenin öyküsünü anlattı, sonra güneş yeniden göründü.',
     'Akşam olunca hepsi sobanın başında toplandı ve çaylarını içti.'),
    ('Bu çalışmada küçük bir gölün su düzeyi beş yıl ölçülmüş ve yağışla karşılaştırılmıştır.',
     'Bulgular, düzeyin yaz aylarında düştüğünü ve kışın yeniden yükseldiğini göstermektedir.',
     'Sonuç olarak ölçümlerin daha sık yapılması önerilmektedir.'),
    ('Ekmek yapmak için önce un, su ve tuz karıştırılır, ardından hamur iyice yoğrulur.',
     'Hamur ılık bir yerde iki saat dinlendirilir ve iki katına çıkması beklenir.',
     'Fırın iyice ısınınca ekmek kırk dakika pişirilir ve soğuması için bırakılır.'),
    ('Şehrin eski çarşısında bakırcılar sabah erkenden dükkânlarını açar ve işe koyulur.',
     'Çekiç sesleri sokağı doldurur; gelip geçenler durup onları izler.',
     'Ustalar işi çıraklarına sabırla öğretir, çünkü iyi bir kap yıllarca dayanır.'),
)
_ENGLISH = (
    ('The ferry left the island at dawn with nine passengers and a crate of oranges on board.',
     'Halfway across, the wind turned and the captain told everyone a story to pass the time.',
     'They landed an hour late, and nobody minded.'),
    ('A clockmaker kept two hundred clocks, and each of them told a slightly different time.',
     'Visitors asked which one was right; she said that the average was rarely wrong.',
     'On Sundays she let all of them run down and listened to the quiet.'),
    ('To prune a young apple tree, wait for a dry day late in winter and use clean tools.',
     'Cut away what is dead, then what crosses, and stop before a third of the wood is gone.',
     'The tree will answer with new shoots in spring.'),
    ('The survey covers four valleys, in which rainfall was measured at twelve stations.',
     'Three of the stations stood in the shade of a ridge and reported lower values.',
     'The tables at the end give the monthly sums.'),
)
_CODE = (
    ('def mean(values):\n  """The arithmetic mean."""\n  return sum(values) / len(values)\n',
     'Python', 'sum.py', 'mit'),
    ('int clamp(int x, int low, int high) {\n  return x < low ? low : x > high ? high : x;\n}\n',
     'C', 'clamp.c', 'apache-2.0'),
    ('def flatten(rows):\n  return [item for row in rows for item in row]\n',
     'Python', 'flatten.py', 'bsd-3-clause'),
    ('static long square(long x) { return x * x; }\n', 'C', 'square.c', 'isc'),
    ('def hidden():\n  return "a licence that asks for more than its text"\n',
     'Python', 'hidden.py', 'gpl-3.0'),
)


def files() -> dict[str, dict[str, bytes]]:
  """Builder -> name of a file at its source -> its bytes."""
  turkish = ['\n'.join(lines) + '\n' for lines in _TURKISH]
  english = ['\n'.join(lines) + '\n' for lines in _ENGLISH]
  mc4 = 'multilingual/c4-tr.tfrecord-00000-of-01024.json.gz'
  return {
      'turkish_academic': {
          'AkademikDerlem/train-00000-of-00001.parquet': _table(turkish[:2]),
          'OzenliDerlem/train-00000-of-00001.parquet': _table(turkish[2:])},
      'github_code': {'data/train-00000-of-00880.parquet': _code()},
      'pile_english': {
          'train/00.jsonl.zst': source_files.zstd(_pile(english[:2])),
          'val.jsonl.zst': source_files.zstd(_pile(english[2:3])),
          'test.jsonl.zst': source_files.zstd(_pile(english[3:])),
          'letters/00000_letters.json.gz': source_files.gzipped(_common_pile(english))},
      'turkish_web': {
          'data/tur_Latn/train/000_00000.parquet': _fineweb(turkish[:3]),
          'data/tur_Latn/test/000_00000.parquet': _fineweb(turkish[3:]),
          'tur_Latn_1/train-00000-of-00001.parquet': _table(turkish),
          mc4: source_files.gzipped(_c4(turkish[:3])),
          'multilingual/c4-tr-validation.tfrecord-00000-of-00004.json.gz':
              source_files.gzipped(_c4(turkish[3:]))},
      'tiny_stories': {
          'TinyStoriesV2-GPT4-train.txt': '<|endoftext|>\n'.join(english[:3]).encode(),
          'TinyStoriesV2-GPT4-valid.txt': (english[3] + '<|endoftext|>\n').encode()},
      'wikitext103': {
          'wikitext-103-raw-v1/train-00000-of-00002.parquet': _articles(_ENGLISH[:2]),
          'wikitext-103-raw-v1/validation-00000-of-00001.parquet': _articles(_ENGLISH[2:3]),
          'wikitext-103-raw-v1/test-00000-of-00001.parquet': _articles(_ENGLISH[3:])},
      'c4_english': {
          'en/c4-train.00000-of-01024.json.gz': source_files.gzipped(_c4(english[:3])),
          'en/c4-validation.00000-of-00008.json.gz': source_files.gzipped(_c4(english[3:]))},
      'shakespeare_sonnets': {'pg1041.txt': _sonnets().encode()},
      'enwik8': {'enwik8.zip': source_files.zipped({'enwik8': _dump(english).encode()})},
      'tiny_shakespeare': {'input.txt': '\n'.join(english).encode()},
      'pg19': {'train/101.txt': english[0].encode(), 'train/102.txt': english[1].encode(),
               'validation/103.txt': english[2].encode(), 'test/104.txt': english[3].encode(),
               'metadata.csv': b'101,The Ferry,1901,http://www.gutenberg.org/ebooks/101\n'},
      'golden': {'round_0.jsonl': _golden().encode()},
  }


def _table(texts: Sequence[str]) -> bytes:
  return source_files.parquet([{'text': text} for text in texts])


def _code() -> bytes:
  return source_files.parquet([
      {'code': code, 'repo_name': 'someone/some-code', 'path': path, 'language': language,
       'license': licence, 'size': len(code)} for code, language, path, licence in _CODE])


def _pile(texts: Sequence[str]) -> bytes:
  return source_files.json_lines(
      [{'text': text, 'meta': {'pile_set_name': 'Pile-CC'}} for text in texts])


def _common_pile(texts: Sequence[str]) -> bytes:
  return source_files.json_lines([
      {'id': str(number), 'text': text, 'source': 'letters', 'added': '2025-01-01T00:00:00',
       'metadata': {'license': licence}}
      for number, (text, licence) in enumerate(zip(texts, ['CC0', 'CC BY'] * 2, strict=True))])


def _fineweb(texts: Sequence[str]) -> bytes:
  return source_files.parquet([
      {'text': text, 'id': f'<urn:uuid:{number}>', 'dump': 'CC-MAIN-2024-10',
       'url': f'https://example.org/{number}', 'date': '2024-02-20T00:00:00Z',
       'file_path': 's3://commoncrawl/example.warc.gz', 'language': 'tur', 'language_score': 0.99,
       'language_script': 'Latn', 'minhash_cluster_size': 1, 'top_langs': '{}'}
      for number, text in enumerate(texts)])


def _c4(texts: Sequence[str]) -> bytes:
  return source_files.json_lines([
      {'text': text, 'timestamp': '2019-04-25T12:57:54Z', 'url': f'https://example.org/{number}'}
      for number, text in enumerate(texts)])


def _articles(documents: Sequence[Sequence[str]]) -> bytes:
  rows: list[Mapping[str, Any]] = []
  for number, lines in enumerate(documents):
    for text in ('', f' = Article {number} = \n', '', f' {lines[0]} \n', f' {lines[1]} \n', '',
                 ' = = End = = \n', '', f' {lines[2]} \n'):
      rows.append({'text': text})
  return source_files.parquet(rows)


def _sonnets() -> str:
  poems = ''.join(f'{number}\n\n' + ''.join(f'  {line}\n' for line in lines) + '\n\n'
                  for number, lines in zip(('I', 'II', 'III', 'IV'), _ENGLISH, strict=True))
  return (f'The Project Gutenberg eBook of some poems\n\n*** START OF THIS EBOOK ***\n\n'
          f'THE POEMS\n\n{poems}*** END OF THIS EBOOK ***\n\nA licence that is no poem.\n')


def _dump(texts: Sequence[str]) -> str:
  pages = ''.join(f'  <page>\n    <title>Page {number}</title>\n    <text>{text} — </text>\n'
                  '  </page>\n' for number, text in enumerate(texts))
  return f'<mediawiki xml:lang="en">\n{pages}</mediawiki>\n'


def _golden() -> str:
  """Records of which two are of the validation side, and two were not accepted."""
  prompts = [f'# add {number} to x\n' for number in range(200)]
  held_out = [prompt for prompt in prompts
              if splits.fraction(prompt) < golden_dataset_builder.VALIDATION]
  chosen = [*held_out[:2], *(prompt for prompt in prompts[:7] if prompt not in held_out)]
  lines = []
  for seed, prompt in enumerate(chosen):
    verdict = {3: 'wrong', 5: 'malformed'}.get(seed, record.ACCEPTED)
    lines.append(record.dumps(record.VerifiedSample(
        family='additions', prompt=prompt, completion=f'def add(x):\n  return x + {seed}\n',
        depth=1, seed=seed, temperature=0.8, log_probability=-4.25, step=900,
        fingerprint='5eed', verifier='1.0.0',
        verdict=verdict, sandbox='not_run' if verdict == 'malformed' else 'ok',
        seconds=0.01, peak_bytes=9_000_000)))
  return '\n'.join(lines) + '\n'


def main() -> None:
  """Writes all of them."""
  for builder, contents in files().items():
    for name, data in contents.items():
      source_files.write(ROOT / builder / 'dummy_data', name, data)


if __name__ == '__main__':
  main()
