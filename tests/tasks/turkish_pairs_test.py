"""Turkish pairs made by rule against pairs that were written by hand, and traps that were found."""

import collections
import re

from absl.testing import absltest, parameterized

from haiku_spectral.tasks import turkish_lexicon, turkish_pairs
from haiku_spectral.tasks.turkish_stems import STEMS

# phenomenon: stem: right / wrong. Nothing here is computed.
CHECKED = '''
vowel_harmony: ev: İşte evler. / İşte evlar.
vowel_harmony: ev: Bize evden söz ettiler. / Bize evdan söz ettiler.
vowel_harmony: ev: Bu evin rengi güzel. / Bu evün rengi güzel.
vowel_harmony: araba: Bütün arabalar burada. / Bütün arabaler burada.
vowel_harmony: araba: Her şey arabada başladı. / Her şey arabade başladı.
vowel_harmony: göz: İşte bir gözlük. / İşte bir gözlik.
vowel_harmony: tuz: İşte bir tuzlu. / İşte bir tuzlı.
vowel_harmony: okul: Bunu okulda bulduk. / Bunu okulde bulduk.
vowel_harmony: kapı: Bunu kapısında bulduk. / Bunu kapısunda bulduk.
vowel_harmony: köprü: Ben köprünün adını unuttum. / Ben köprünin adını unuttum.
vowel_harmony: deniz: Bunu denizlerde bulduk. / Bunu denizlarda bulduk.
consonant_mutation: kitap: Dün kitabı gördük. / Dün kitapı gördük.
consonant_mutation: ağaç: Herkes ağaca baktı. / Herkes ağaça baktı.
consonant_mutation: çocuk: Nerede çocuğumuz? / Nerede çocukumuz?
consonant_mutation: renk: İşte rengi. / İşte renki.
consonant_mutation: kanat: Bu kanadın rengi güzel. / Bu kanatın rengi güzel.
consonant_mutation: kurt: Kimse kurdu unutmadı. / Kimse kurtu unutmadı.
consonant_mutation: ekmek: Sonunda ekmeğe geldik. / Sonunda ekmeke geldik.
consonant_mutation: ekmek: Bunu ekmekte bulduk. / Bunu ekmekde bulduk.
consonant_mutation: süt: Bunu sütte bulduk. / Bunu sütde bulduk.
consonant_mutation: süt: İşte bir sütçü. / İşte bir sütcü.
consonant_mutation: ev: Bize evden söz ettiler. / Bize evten söz ettiler.
consonant_mutation: kapı: Bu da bir kapıcı. / Bu da bir kapıçı.
consonant_mutation: ip: Dün ipi gördük. / Dün ibi gördük.
consonant_mutation: sepet: Herkes sepete baktı. / Herkes sepede baktı.
consonant_mutation: sanat: İşte sanatı. / İşte sanadı.
suffix_order: ev: Bunu evlerimde bulduk. / Bunu evimlerde bulduk.
suffix_order: ev: Bunu evlerimde bulduk. / Bunu evdelerim bulduk.
suffix_order: göz: İşte gözlükler. / İşte gözlerlik.
suffix_order: araba: Dün arabalarını gördük. / Dün arabanları gördük.
suffix_order: okul: Sonunda okullarımıza geldik. / Sonunda okulumuzlara geldik.
suffix_order: kapı: O zaman kapımdaydı. / O zaman kapımdıda.
case_after_possessive: ev: Bunu evinde bulduk. / Bunu evide bulduk.
case_after_possessive: araba: Sonunda arabasına geldik. / Sonunda arabasıya geldik.
case_after_possessive: kapı: Dün kapısını gördük. / Dün kapısıyı gördük.
case_after_possessive: köy: Bize köylerinden söz ettiler. / Bize köyleriden söz ettiler.
case_after_possessive: okul: Her şey okulunda başladı. / Her şey okuluda başladı.
possessive_agreement: ev: Bunu benim evimde bulduk. / Bunu benim evinizde bulduk.
possessive_agreement: okul: Sonunda bizim okulumuza geldik. / Sonunda bizim okuluma geldik.
possessive_agreement: araba: Dün onun arabasını gördük. / Dün onun arabanı gördük.
possessive_agreement: araba: Dün senin arabanı gördük. / Dün senin arabasını gördük.
possessive_agreement: kapı: Herkes sizin kapınıza baktı. / Herkes sizin kapımıza baktı.
question_particle: ev: O ev mi? / O ev mı?
question_particle: okul: O okulda mı? / O okulda mu?
question_particle: köprü: O köprü mü? / O köprü mu?
question_particle: göz: Aradığın gözüm mü? / Aradığın gözüm mi?
question_particle: araba: O arabadan mı? / O arabadan mi?
question_particle: ev: O evde mi? / O evdemi?
buffer_letters: araba: Dün arabayı gördük. / Dün arabaı gördük.
buffer_letters: araba: Herkes arabaya baktı. / Herkes arabaa baktı.
buffer_letters: araba: Ben arabanın adını unuttum. / Ben arabaın adını unuttum.
buffer_letters: araba: Ben arabanın adını unuttum. / Ben arabayın adını unuttum.
buffer_letters: köprü: İşte köprüsü. / İşte köprüü.
buffer_letters: kapı: Nerede kapımız? / Nerede kapıımız?
buffer_letters: ev: Dün evi gördük. / Dün evyi gördük.
buffer_letters: ev: Bu evin rengi güzel. / Bu evnin rengi güzel.
buffer_letters: ev: O zaman evdi. / O zaman evydi.
buffer_letters: okul: Nerede okulumuz? / Nerede okulmuz?
negation: gel: Hiç kimse gelmedi. / Hiç kimse geldi.
negation: al: Asla almayacak. / Asla alacak.
negation: bekle: Hiçbiri beklemiyor. / Hiçbiri bekliyor.
negation: söyle: O hiçbir zaman söylemiyor. / O hiçbir zaman söylüyor.
negation: oku: Hiçbiri okumuyor. / Hiçbiri okuyor.
negation: yürü: Asla yürümeyecek. / Asla yürüyecek.
negation: unut: Hiç kimse unutmadı. / Hiç kimse unuttu.
negation: gel: Sakın gelme! / Sakın gel!
negation: yap: O bugün yapmadı. / O bugün yaptıma.
negation: gör: O bugün görmemiş. / O bugün görmüşme.
negation: kal: Ben bugün kalmam. / Ben bugün kalmazım.
negation: bil: Biz bugün bilmeyiz. / Biz bugün bilmeziz.
negation: anla: O bugün anlamıyor. / O bugün anlamayor.
negation: dur: O bugün durmayacak. / O bugün durmamayacak.
'''
LINES = re.findall('(.+?): (.+?): (.+?) / (.+)', CHECKED)

# What looks wrong by its rule and is a word all the same.
WORDS = '''mumya dalya karnın boynun beynin kendi kanıda karıyı kare kaleme koyunlarda adamlara
yayınlarda kartı odunu idi bilediler kebabı sayımlara evlerimde gözlükçülüğü hayatiler'''
NONE = '''evlar evdelerim arabaı sütde kitapı evimlerde arabasıya evyi kapıçı sanadı geldime
okulmuz'''


class TurkishPairsTest(parameterized.TestCase):

  def test_pairs_checked_by_hand(self):
    self.assertGreaterEqual(len(LINES), 70)
    self.assertEqual({name for name, *_ in LINES}, set(turkish_pairs.PHENOMENA))
    for name, stem, right, wrong in LINES:
      made = {(each.good, each.bad): each.wrong
              for each in turkish_pairs.PHENOMENA[name].contrasts(stem)}
      self.assertTrue((right, wrong) in made, f'{right} / {wrong}')
      self.assertFalse(turkish_pairs.is_word(made[right, wrong]), wrong)

  @parameterized.parameters(*WORDS.split())
  def test_words_by_accident_are_left_out(self, word):
    self.assertTrue(turkish_pairs.is_word(word))

  @parameterized.parameters(*NONE.split())
  def test_what_is_no_word(self, word):
    self.assertFalse(turkish_pairs.is_word(word))

  def test_what_is_right_elsewhere_is_not_made(self):
    # Evdenim: I am from the house. Evdeler: they are at home. Annemler: my mother and hers.
    # Çocuksu, boyadı, boyamış: words of their own.
    made = {each.wrong for name, phenomenon in turkish_pairs.PHENOMENA.items()
            if name != 'negation' for stem in ('ev', 'anne', 'boya', 'kadın', 'kum')
            for each in phenomenon.contrasts(stem)}
    self.assertFalse(made & {
        'evdenim', 'evdeler', 'annemler', 'annemlerde', 'kadınsı', 'boyadı', 'boyamış', 'evdeyim'})

  def test_as_many_different_pairs_as_are_asked_for(self):
    pairs = turkish_pairs.make(1000)
    counts = collections.Counter(pair.phenomenon for pair in pairs)
    self.assertEqual(set(counts), set(turkish_pairs.PHENOMENA))
    self.assertEqual(set(counts.values()), {1000})
    self.assertLen(set(pairs), len(pairs))
    for pair in pairs:
      self.assertNotEqual(pair.good, pair.bad)
    self.assertEqual(pairs[:5], turkish_pairs.make(5)[:5])
    self.assertNotEqual(pairs[:5], turkish_pairs.make(5, seed=1)[:5])

  def test_there_are_enough_for_the_most_that_may_be_asked_for(self):
    made = {contrast for verb in turkish_lexicon.VERBS
            for contrast in turkish_pairs.negation(verb)}  # The fewest stems.
    self.assertGreater(len(made), 2000)

  def test_the_lists_are_of_words_that_follow_their_rules(self):
    lists = turkish_lexicon.SOFTENING, turkish_lexicon.VERBS
    for words in lists:
      self.assertLen(set(words), len(words))
    self.assertFalse(set(turkish_lexicon.SOFTENING) & set(STEMS))
    self.assertEmpty(turkish_lexicon.PEOPLE - set(STEMS))
    self.assertEqual([turkish_lexicon.soften(word) for word in ('kitap', 'renk', 'ayak', 'ilaç')],
                     ['kitab', 'reng', 'ayağ', 'ilac'])


if __name__ == '__main__':
  absltest.main()
