"""Turkish words beside the regular stems: stems whose last letter softens, verbs, and others.

Regular nouns and adjectives are in `turkish_stems`; the rules of suffixes in `turkish_operators`.
"""

from haiku_spectral.tasks.turkish_stems import STEMS

SOFT = {'p': 'b', 'ç': 'c', 't': 'd', 'k': 'ğ'}

# The last letter softens before a vowel: kitap, kitabı. After n, k becomes g: renk, rengi.
_SOFTENING = '''
kitap dolap cevap hesap çorap şarap mektup kasap kebap sebep ağaç ilaç amaç araç inanç kazanç sonuç
borç genç kılıç taç güç yamaç sevinç çekiç kanat kurt umut yurt dert söğüt geçit cilt öğüt yiğit
ayak kulak yaprak toprak bardak tabak çocuk köpek bebek çiçek böcek ekmek yemek gömlek etek yürek
bilek böbrek direk kürek sinek inek eşek ördek kelebek balık kaşık bıçak uçak sokak kapak yatak
dudak yanak parmak tırnak bacak kucak ocak ırmak bayrak tarak kavak başak kabak durak yüzük köpük
kütük koltuk çubuk kabuk tavuk pamuk sucuk boncuk topuk yumruk kuyruk mutfak ışık kayık konuk tanık
fıstık yastık sandık renk kepenk ahenk çelenk
'''
SOFTENING = tuple(_SOFTENING.split())

# Verbs that take suffixes by rule alone: none softens (git, gidiyor), none narrows (ye, yiyor).
_VERBS = '''
gel al ver ol bul gör bil kal dur yap yaz oku iç uyu yürü koş gül ağla başla bekle dinle anla söyle
iste sev sor çalış konuş düşün öğren otur kalk düş geç aç kapa kes kır at tut bak çık gir in bin dön
unut hatırla sakla topla taşı çek oyna atla yıka temizle pişir getir götür sat öde say seç ara
'''
VERBS = tuple(_VERBS.split())

# People, of whom the plural may stand behind the possessive: annemler, my mother and hers.
_PEOPLE = '''
aile amca ana anne arkadaş asker aşçı avcı avukat baba bakan bakkal başkan bey çoban dayı dede
doktor dost düşman ebe efe garson gelin göçmen han hanım hasta hekim hemşire hoca hostes ikiz
işçi kadın kahraman kaptan kardeş kaynana kız kişi koca komşu kör kral kraliçe kuaför kul kuyumcu
kuzen manav marangoz memur meslektaş mimar misafir muhtar müdür mühendis müşteri nine ozan öğrenci
öğretmen polis savcı seyirci sözcü sporcu sultan şah şair şampiyon şef şoför tercüman terzi teyze
torun turist tüccar usta uzman üye vali varis vatandaş veli yazar yolcu yönetmen yurttaş zorba
'''
PEOPLE = frozenset(_PEOPLE.split())

# Words that no rule here makes, but which a wrong word may hit: other stems (ada+m is adam), stems
# that have lost a vowel (karn- of karın), forms of verbs.
_OTHERS = '''
ad adam adım akın alın aln atım ağz bakım bala basın batı batım bela beyin beyn biledi
boyn boyun burn burun cani dalya dama derim devam dizim dolum edi edim ekin eviye evye film gezim
göze göğs hale hane hani hayati havan hukuki idi insani içim kadı kanı kardı karn karı karın kart
karya kase kazı kazım kend koyn koyu koyun konya koşum kuma kırım mala mali mumya od odun oğl pile
sac salı sarım sayım sela sele sera soya sürüm sır sırt takı takım tanım tartım tasa tela yapım
yarım yayım yayın yazım ölçüm
'''
OTHERS = frozenset(_OTHERS.split())


def soften(stem: str) -> str:
  """A stem as it is before a vowel, if its last letter softens: 'kitab' of 'kitap'."""
  return stem[:-1] + ('g' if stem.endswith('nk') else SOFT[stem[-1]])


# What is a stem as it stands before some suffix. The unsoftened ones are none before a vowel.
KNOWN = frozenset(STEMS) | frozenset(map(soften, SOFTENING)) | OTHERS
