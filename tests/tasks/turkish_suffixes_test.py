"""Suffixes against forms checked by hand, a second set of rules, and rules that are wrong."""

import re

import hypothesis
import hypothesis.strategies as st
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.tasks import turkish_stems, turkish_suffixes
from haiku_spectral.tasks.turkish_operators import SUFFIXES, attach, build, follows
from tests.fixed_examples import fixed_examples
from tests.tasks import trusted

FORMS_AND_WORDS = '''
ev+pl evler              ev+pl+p1+loc evlerimde   ev+p3+loc evinde          ev+dat eve
ev+gen evin              ev+abl evden             ev+siz+lik evsizlik       ev+p4+abl evimizden
ev+loc+pst evdeydi       ev+loc+evd evdeymiş      ev+pl+p3 evleri           ev+pl+p3+abl evlerinden
araba+acc arabayı        araba+dat arabaya        araba+p3 arabası          araba+p3+dat arabasına
araba+gen arabanın       araba+loc arabada        araba+p1 arabam           araba+p4 arabamız
araba+pl+p3+acc arabalarını                       araba+ci arabacı          araba+pst arabaydı
okul+loc okulda          okul+p5+dat okulunuza    okul+pl+abl okullardan    okul+li okullu
göz+lik gözlük           göz+lik+ci gözlükçü      göz+p3 gözü               göz+lik+p3 gözlüğü
güzel+lik+p3 güzelliği   güzel+lik+p3+abl güzelliğinden                     güzel+lik+dat güzelliğe
köprü+acc köprüyü        köprü+pl+gen köprülerin  köprü+p3+loc köprüsünde   köprü+p1 köprüm
süt+ci sütçü             süt+siz sütsüz           süt+abl sütten            süt+loc sütte
kapı+p3+loc kapısında    kapı+ci kapıcı           kapı+ci+lik+p3 kapıcılığı kapı+p2+acc kapını
kapı+pst kapıydı         kapı+evd kapıymış        kapı+p3+pst kapısıydı     kapı+p3+gen kapısının
yol+ci yolcu             yol+ci+lik yolculuk      yol+ci+pl+dat yolculara   yol+loc yolda
tuz+lik tuzluk           tuz+li tuzlu             tuz+siz tuzsuz            tuz+p2 tuzun
iş+ci işçi               iş+siz+lik+abl işsizlikten                         iş+ci+pl+gen işçilerin
park+loc parkta          park+dat parka           dost+lik+p4 dostluğumuz   dost+abl dosttan
deniz+ci+lik denizcilik  deniz+dat denize         kız+pl+p3+dat kızlarına   kız+p1+gen kızımın
öğretmen+p5+gen öğretmeninizin                    öğretmen+pst öğretmendi   müdür+evd müdürmüş
'''
CHECKED = dict(re.findall(r'(\S+\+\S+) +(\S+)', FORMS_AND_WORDS))
STEPS = turkish_suffixes.TurkishSteps()

# All forms of each suffix: after a consonant, after a vowel. Nothing is computed here.
FORMS = {
  'ci': ('cı ci cu cü çı çi çu çü', 'cı ci cu cü'),
  'lik': ('lık lik luk lük', 'lık lik luk lük'),
  'siz': ('sız siz suz süz', 'sız siz suz süz'),
  'li': ('lı li lu lü', 'lı li lu lü'),
  'pl': ('lar ler', 'lar ler'),
  'p1': ('ım im um üm', 'm'),
  'p2': ('ın in un ün', 'n'),
  'p3': ('ı i u ü', 'sı si su sü'),
  'p4': ('ımız imiz umuz ümüz', 'mız miz muz müz'),
  'p5': ('ınız iniz unuz ünüz', 'nız niz nuz nüz'),
  'acc': ('ı i u ü', 'yı yi yu yü'),
  'dat': ('a e', 'ya ye'),
  'loc': ('da de ta te', 'da de'),
  'abl': ('dan den tan ten', 'dan den'),
  'gen': ('ın in un ün', 'nın nin nun nün'),
  'pst': ('dı di du dü tı ti tu tü', 'ydı ydi ydu ydü'),
  'evd': ('mış miş muş müş', 'ymış ymiş ymuş ymüş'),
}
AFTER_P3 = {'acc': 'nı ni nu nü', 'dat': 'na ne', 'loc': 'nda nde', 'abl': 'ndan nden'}
HARMONY = re.compile('[aı][^aeıioöuü]*[aı]|[ou][^aeıioöuü]*[au]|[ei][^aeıioöuü]*[ei]|'
                     '[öü][^aeıioöuü]*[eü]')
HARD, SOFT = re.compile('[fstkçşhp][dc]'), re.compile('[^fstkçşhp][tç]')


def choose(word, name, previous):
  """The word with the only form of a suffix that sounds right behind it."""
  after_vowel = word[-1] in 'aeıioöuü'
  forms = AFTER_P3[name] if previous == 'p3' and name in AFTER_P3 else FORMS[name][after_vowel]
  fitting = []
  for form in forms.split():
    vowels = re.sub('[^aeıioöuü]', '', word)[-1] + re.sub('[^aeıioöuü]', '', form)[:1]
    junction = word[-1] + form[0]
    if (len(vowels) == 1 or HARMONY.fullmatch(vowels)) and not HARD.match(junction) and not (
        name in ('ci', 'loc', 'abl', 'pst') and SOFT.match(junction)):
      fitting.append(form)
  (form,) = fitting
  if previous == 'lik':
    word = re.sub('k$', 'ğ', word) if form[0] in 'aeıiuü' else word
  return word + form


def independent(stem, program):
  word, previous = stem, None
  for name in program.split('+')[1:]:
    word, previous = choose(word, name, previous), name
  return word


def all_words(stem, depth):
  """All words of 1 to `depth` suffixes."""
  words, longest = set(), [(stem, None)]
  for _ in range(depth):
    longest = [(attach(word, previous, name), name) for word, previous in longest
               for name in SUFFIXES if follows(previous, name)]
    words.update(word for word, _ in longest)
  return words


def grows(chain):
  """Whether a chain is in order, by one expression over all of it."""
  return re.fullmatch(
      '(?:(ci|lik|siz|li) (?!\\1 ))*(pl )?(p[1-5] )?(acc |((dat|loc|abl|gen) )?((pst|evd) )?)',
      ''.join(f'{name} ' for name in chain)) is not None


class TurkishSuffixesTest(parameterized.TestCase):

  def test_forms_checked_by_hand(self):
    self.assertGreaterEqual(len(CHECKED), 60)
    built = {form: build(form.split('+')[0], form[form.index('+'):]) for form in CHECKED}
    self.assertEqual(built, CHECKED)
    self.assertEqual({name for form in CHECKED for name in form.split('+')[1:]}, set(SUFFIXES))

  @hypothesis.given(
      st.integers(1, 12), st.sampled_from(('train', 'gate', 'heldout')), st.integers(0))
  @fixed_examples(800)
  def test_agrees_with_a_choice_among_written_out_forms(self, depth, split, seed):
    family = turkish_suffixes.TurkishSuffixes()
    problem = family.propose(np.random.default_rng(seed), depth, split)
    pairs = [pair.split(':') for pair in problem.prompt.removesuffix('>').split(' ')]
    programs = problem.answer.split(';')
    self.assertLen(programs, 1 + (depth > 6))
    for (stem, word), program in zip(pairs, programs, strict=True):
      self.assertEqual(word, independent(stem, program))
      self.assertIn(stem, turkish_suffixes.stems(split))
    self.assertLessEqual(max(map(programs[0].count, '+')), 6)
    self.assertEqual(problem.answer.count('+'), depth)
    self.assertEqual(family.split(problem.key), split)

  @hypothesis.given(st.integers(1, 12), st.integers(0))
  @fixed_examples(200)
  def test_steps_spell_the_word_and_name_the_same_suffixes(self, depth, seed):
    plain, steps = (family.propose(np.random.default_rng(seed), depth, 'train')
                    for family in (turkish_suffixes.TurkishSuffixes(), STEPS))
    self.assertEqual(plain.prompt, steps.prompt)
    self.assertEqual(re.sub('[^;+]*([+][a-z0-9]+) ?', r'\1', steps.answer), plain.answer)
    for pair, program in zip(steps.prompt[:-1].split(' '), steps.answer.split(';'), strict=True):
      stem, word = pair.split(':')
      spelled = stem + ''.join(step.split('+')[0] for step in program.split(' '))
      self.assertEqual(re.sub('ğ', 'k', spelled), re.sub('ğ', 'k', word))  # lik before a vowel.

  @parameterized.parameters(
      'ler+pl im+p1', 'ler+pl im+p1 de+abl', 'ler+pl in+p2 de+loc', 'im+p1 ler+pl de+loc',
      'lar+pl im+p1 de+loc', 'ler+pl im+p1 de+loc;ler+pl', 'ler+pl+p1 de+loc', '+pl+p1+loc',
      'ler+pl  im+p1 de+loc', 'ler+pl im+p1 de+loc ')
  def test_wrong_steps_are_rejected(self, completion):
    problem = turkish_suffixes.Problem(
        STEPS.name, 3, 'ev', 'ev:evlerimde>', '', (((['ev'],), ['evlerimde']),))
    self.assertTrue(trusted.accepts(STEPS, problem, 'ler+pl im+p1 de+loc'))
    self.assertFalse(trusted.accepts(STEPS, problem, completion))

  def test_a_sentence_is_on_the_side_of_its_stems(self):
    family = turkish_suffixes.TurkishSuffixes()
    one, other = turkish_suffixes.stems('train')[0], turkish_suffixes.stems('heldout')[0]
    gate = turkish_suffixes.stems('gate')[0]
    for key, split in ((one, 'train'), (f'{one} {other}', 'heldout'), (f'{gate} {one}', 'gate'),
                       (f'{gate} {other}', 'heldout')):
      self.assertEqual(family.split(key), split)

  def test_every_suffix_behind_every_stem(self):
    for stem in turkish_stems.STEMS:
      for name in SUFFIXES:
        self.assertEqual(build(stem, f'+{name}'), independent(stem, f'+{name}'))

  @parameterized.parameters(
      ("'aaaaeeee'", "'aaaeeeee'"), ("'aaaaeeee'", "'aaaaeeea'"), ("'ııuuiiüü'", "'ııuuiiiü'"),
      ("'ııuuiiüü'", "'ıııuiiüü'"), ("'ııuuiiüü'", "'ııuuiiüi'"), ("'çfhkpsşt'", "'çfhkpsş'"),
      ("'çfhkpsşt'", "'çfhpsşt'"), ("'çfhkpsşt'", "'çfhkpst'"), ("'çfhkpsşt'", "'çfhkpsştz'"),
      ("'C': 'ç'", "'C': 'c'"), ("'D': 't'", "'D': 'd'"),
      ("(OWNER, 's', 'I')", "(OWNER, 'y', 'I')"),
      ("(CASE, 'y', 'I')", "(CASE, 'n', 'I')"), ("(CASE, 'y', 'A')", "(CASE, '', 'A')"),
      ("(CASE, 'n', 'In')", "(CASE, 'y', 'In')"), ("(COPULA, 'y', 'DI')", "(COPULA, '', 'DI')"),
      ("(COPULA, 'y', 'mIş')", "(COPULA, '', 'mIş')"), ("buffer = 'n'", 'pass'),
      ("(OWNER, 'I', 'mIz')", "(OWNER, '', 'mIz')"), ("slot == CASE:", 'slot >= CASE:'),
      ("previous == 'lik'", 'previous'), ("previous == 'lik' and", 'False and'),
      ("reversed(word)", 'word'), ("'ğ'", "'g'"))
  def test_wrong_rules_are_caught_by_the_checked_forms(self, right, wrong):
    self.assertIn(right, turkish_suffixes.OPERATORS)
    names = {}
    exec(turkish_suffixes.OPERATORS.replace(right, wrong), names)
    self.assertTrue(any(names['build'](form.split('+')[0], form[form.index('+'):]) != word
                        for form, word in CHECKED.items()))

  @parameterized.parameters(
      ('ev:evinde>', '+p3+loc', ('evnde', 'evide', 'evında', 'evinda', 'evinte', 'evisinde')),
      ('süt:sütçü>', '+ci', ('sütcü', 'sütçi', 'sütçu', 'SÜTÇÜ', 'sütçü ',
                             'su\u0308tc\u0327u\u0308')),
      ('araba:arabaya>', '+dat', ('arabaa', 'arabaye', 'arabana', 'arabay')))
  def test_wrong_words_and_types_are_rejected(self, prompt, program, wrong):
    family = turkish_suffixes.TurkishSuffixes()
    stem, word = prompt[:-1].split(':')
    problem = turkish_suffixes.Problem(
        family.name, program.count('+'), stem, prompt, program, ((([stem],), [word]),))
    self.assertTrue(family.check(problem, trusted.run(family.job(problem, program))))
    for value in (*([each] for each in wrong), None, True, word, [word.encode()], [[word]], (word,),
                  {word}, [word, word], [trusted.Agreeable()], [trusted.Text(word)]):
      self.assertFalse(family.check(problem, trusted.outcome(value=value)), value)

  def test_any_program_that_gives_the_word_back_is_right_and_no_other(self):
    family, rng = turkish_suffixes.TurkishSuffixes(), np.random.default_rng(0)
    several = 0
    for problem in (family.propose(rng, 2, 'train') for _ in range(30)):
      stem, word = problem.prompt[:-1].split(':')
      for depth in (1, 2):
        for chain in turkish_suffixes.chains(depth):
          program = ''.join(f'+{name}' for name in chain)
          right = independent(stem, program) == word
          several += right and program != problem.answer
          self.assertEqual(trusted.accepts(family, problem, program), right)
    self.assertGreater(several, 0)

  @parameterized.parameters(
      'pl', '+', '+pl+', '++pl', '+xx', '+pl+p6', ' +pl', '+pl ', '+PL', 'ev+pl', '+pl' * 7,
      '+pl;', ';+pl', '+pl;+pl;+pl', '+pl;import os')
  def test_what_is_no_program(self, completion):
    family = turkish_suffixes.TurkishSuffixes()
    problem = family.propose(np.random.default_rng(0), 1, 'train')
    self.assertIsNone(family.job(problem, completion))

  @parameterized.parameters(
      '+pl+pl', '+p1+pl', '+loc+p1', '+ci+ci', '+pl+li', '+acc+dat', '+acc+pst', '+pst+evd')
  def test_programs_out_of_order_stop(self, program):
    with self.assertRaisesRegex(ValueError, 'does not follow'):
      build('ev', program)

  @parameterized.parameters(
      'evlerimde1', 'ev lerim', 'EV', 'evlerimde=', 'x', 'e' * 49, 'ev;', 'ev;ev;ev')
  def test_what_is_no_word(self, completion):
    family = turkish_suffixes.TurkishSynthesis()
    problem = family.propose(np.random.default_rng(0), 1, 'train')
    self.assertIsNone(family.job(problem, completion))

  def test_synthesis_executes_nothing_of_the_model(self):
    family = turkish_suffixes.TurkishSynthesis()
    problem = family.propose(np.random.default_rng(0), 3, 'train')
    job = family.job(problem, 'araba')
    self.assertEqual(job.args, (['araba'],))
    self.assertEqual(trusted.run(job).value, ['araba'])
    self.assertFalse(trusted.accepts(family, problem, 'araba'))

  def test_chains_are_all_that_are_in_order(self):
    everything = [()]
    for depth in range(1, 4):
      everything = [(*chain, name) for chain in everything for name in SUFFIXES]
      self.assertCountEqual(turkish_suffixes.chains(depth), filter(grows, everything))
    self.assertEqual([len(turkish_suffixes.chains(depth)) for depth in range(1, 7)],
                     [17, 119, 495, 1608, 4864, 14592])

  def test_stems(self):
    stems = turkish_stems.STEMS
    self.assertLen(set(stems), len(stems))
    for stem in stems:
      self.assertRegex(stem, '^[abcçdefgğhıijklmnoöprsştuüvyz]{2,12}$')
      self.assertRegex(stem, '[aeıioöuü]')
    sides = [set(turkish_suffixes.stems(split)) for split in ('train', 'heldout', 'gate')]
    self.assertEqual(set(stems), set.union(*sides))
    self.assertEqual(len(stems), sum(map(len, sides)))
    self.assertGreater(len(sides[1]), 200)  # With 17 chains: 3,000 problems of depth 1 and more.
    self.assertGreater(len(sides[2]), 80)

  def test_no_held_out_word_is_built_by_a_training_stem(self):
    words = {split: {word for stem in turkish_suffixes.stems(split) for word in all_words(stem, 3)}
             for split in ('train', 'heldout')}
    self.assertGreater(len(words['heldout']), 100_000)
    self.assertEmpty(words['train'] & words['heldout'])

  def test_related_stems_share_words_and_a_key(self):
    groups = {}
    for stem in turkish_stems.STEMS:
      groups.setdefault(turkish_stems.root(stem), set()).add(stem)
    self.assertLen([group for group in groups.values() if len(group) > 1], 29)
    for root, group in groups.items():
      words = {stem: {stem} | all_words(stem, 2) for stem in group}
      for stem in group - {root}:
        others = set().union(*(words[other] for other in group - {stem}))
        self.assertTrue(words[stem] & others, (root, stem))
    family, generator = turkish_suffixes.TurkishSynthesis(), np.random.default_rng(0)
    problems = [family.propose(generator, 1, split)
                for split, count in (('train', 4000), ('gate', 600)) for _ in range(count)]
    stems = {problem.prompt.split('+')[0]: problem.key for problem in problems}
    self.assertContainsSubset(
        {'avcı': 'av', 'av': 'av', 'masal': 'masa', 'yolcu': 'yol', 'ev': 'ev'}, stems)

  def test_longest_word_has_room(self):
    longest = max(turkish_stems.STEMS, key=lambda stem: len(stem.encode()))
    words = [build(longest, ''.join(f'+{name}' for name in chain))
             for chain in turkish_suffixes.chains(6)]
    self.assertLess(2 * max(len(word.encode()) for word in words),
                    turkish_suffixes.TurkishSynthesis.max_bytes)
    for word in words:
      self.assertRegex(word, turkish_suffixes.WORD)

  def test_the_sandbox_gets_a_text_that_needs_nothing(self):
    self.assertNotRegex(turkish_suffixes.OPERATORS, r'(?m)^\s*(import|from) ')
    self.assertLess(len(turkish_suffixes.OPERATORS.encode()), 6144)


if __name__ == '__main__':
  absltest.main()
