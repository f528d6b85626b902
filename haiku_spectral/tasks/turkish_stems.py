"""Turkish nouns and adjectives that take suffixes by rule alone, without a change in themselves.

Left out are words whose last letter softens (kitap), whose last vowel drops (ağız), whose last
letter doubles (hak), which break vowel harmony (saat) or take other buffers (su).
"""

_WORDS = '''
ada aile alfabe amca ana anahtar anı anne ara araba arı arka arkadaş arpa arsa asker aslan asma aşçı
aşı at ata atlas atölye av avcı avlu avukat ay ayı ayna ayran az baba baca badem bahar bahçe bakan
bakır bakkal bal balina balkon balon balta bando banka banyo bar baraj baro baston baş başarı başkan
başkent battaniye bavul bayram bebe bel belge benzin bere beste beton bey beyaz biber biçim bilet
bilgi bilgisayar bina bira bisiklet bisküvi bitki boğa boru boş boy boya bölge bölüm bugün buğday
bulgur bulut bulvar burs buz büfe büro bütçe büyü cadde cam canavar ceket cennet cephe cesaret ceviz
ceza cila cin civar coğrafya cuma cumhuriyet cümle cüzdan çaba çadır çakal çakı çakıl çalı çam
çamaşır çamur çanta çare çarşaf çarşı çatal çatı çay çayır çekirge çember çene çengel çerçeve çeşme
çete çevre çeyiz çığ çıkış çift çikolata çile çim çimen çimento çini çivi çizgi çizme çoban çorba
çöl çöp çukur çuval dağ daire dakika dal dalga dam damar damla dana dans dava davet davul dayı dede
defne deha demir deney deneyim deniz depo dere dergi deri ders deva deve devlet diken dil dilim din
direksiyon diş divan diyar diyet doğa doğru doğum doktor dolar dolma dolu dondurma dost dosya duman
durum duş dut duvar duygu düğme düğün dünya dürbün düş düşman düşünce düzen ebe eczane edebiyat efe
efsane eğitim eğri ehliyet ekim ekonomi ekran el elbise elçi elma elmas emanet emel enerji engel
erken eser eş eşya et ev evren ezgi fabrika fakülte fare fatura felsefe fener fıçı fıkra fırça fırın
fırsat fırtına fidan fide fil fincan firma fiş fiyat fon forma formül fotoğraf futbol füze gar
garson gaz gazete gece gelin gelir gemi geniş gezegen gezi giriş gişe gitar giysi göçmen göl gölge
gönye görev görgü göz gözlem gramer gül güldeste güneş güney gürültü güvercin güverte güz güzel
haber hafta halı halka hamam hamsi hamur han hanım hapishane hardal hareket harita harman hasta hava
havlu havuz hayat hayvan hazine hece hedef hediye hekim helva hemşire heyecan heykel hırka hız hile
hindi hisar hoca horoz hostes hukuk huy hücre hürriyet ışın iç içki iğne ikiz iklim ilçe ileti ilgi
ilkbahar imza inci incir ip irade isyan iş işaret işçi işlem it iz jambon jandarma jeton jilet kaba
kabile kabin kablo kader kadın kadro kafa kafes kahraman kahvaltı kahve kale kalem kalın kalite
kamera kamyon kan kanal kanarya kanepe kanser kapı kaplan kaplumbağa kaptan kara karaca karar kardeş
kare karga kargo karınca karpuz kartal karton kas kasa kasaba kaset kasım kaş katır kavga kavun kaya
kaygı kayısı kaynana kaz kaza kazan keçi keder kedi kelime keman kemer kent kereste kereviz kervan
kese keskin kestane kıl kır kız kızgın kibar kil kilim kilise kilo kira kiraz kişi koca koç kol kola
koli komedi kompozisyon komşu konferans konser konu koridor korku koro koru koşu kova koy koza köfte
kök kömür köprü kör köşe köy kral kraliçe kredi krem kuaför kubbe kul kule kum kumaş kumbara kupa
kura kurbağa kurs kurşun kuru kurum kuş kutu kuvvet kuyu kuyumcu kuzen kuzey kuzu küçümen külçe küpe
kürdan küre kütüphane lahana lale lamba lavabo leke liman limon lira lise liste lokanta lokum lüfer
maaş macera madalya maden mağara mağaza mahalle makarna makas makine mal mama manav mandalina
mandıra manzara marangoz market marş masa masal maşa matbaa mavi maya maymun medeniyet melodi memur
menü merdiven merkez mermer mesaj meslektaş metre meyve mezar mısır midye mikser mil millet mimar
minare minder minibüs miras misafir mobilya mola motor muhtar mum mumya muska mutlu muz mücadele
müdür mühendis müşteri müze nane nar neden nefret neşe nilüfer nine niyet not nota numara nüfus oda
odun ok okul olay olta omlet ordu orkestra orman orta ot otel oto otobüs ova oy oyun ozan öfke öğle
öğrenci öğretmen öğün ölçü ön öneri örgü örs örtü özen özgür özlem paket palmiye palto panayır
pancar panda panter para paraşüt parfüm park parti pasta pastane paşa patates patlıcan pay pazar
pencere pense perde peri peron peynir pil pilot piyango piyano plaj plan polis porselen portakal
posta postane program proje puan pul pusula püre radyo raf raket rampa rapor reçel reçete rende
rıhtım robot roket roman rota rozet rüya saban sabun saç sade safran saha sahne sakal sakız saksı
salam salata salça salı salon salyangoz saman sanat sandal sandalye saniye santim sap saray sargı
sarı savaş savcı sayfa saygı sayı saz sebze seçim sel semer sepet sergi serin servet ses sevgi
seyirci sezon sıfat sınav sınıf sınır sıra sigara sigorta silgi simge sinema sis sistem site siyah
sofra soğan sohbet somun son sorgu soru sorun soy söz sözcü spor sporcu stadyum sultan sulu sünger
süpürge süre sürgün sürü süt şah şair şaka şal şalgam şampiyon şampuan şans şapka şarkı şef şeftali
şeker şemsiye şerbet şiir şimşir şirket şiş şişe şoför şölen şube şüphe tabanca tabela tablet tablo
taksi takvim tamir tane tanı tansiyon tapu tarım tarih tarla tartı tas tasarım taş tava tavan tavla
tavşan tavus taze tekne tel telefon televizyon tembel temel temiz tencere tepe tepsi terazi tercih
tercüman tere terzi testere teyze tır tilki timsah tiyatro ton top toplum torba torun toz tramvay
tren tuğla tur turist turşu tuş tuvalet tuz tüccar tünel tüy ulus un usta uygun uyku uyum uzay uzman
uzun ücret ülke ülkü ün üniversite ürün ütü üye üzüm vadi vali vana vapur varis vatan vatandaş veli
vergi vezne video villa virgül vişne vitamin vitrin voleybol yaka yakın yakıt yalan yalı yan yangın
yankı yapı yara yaramaz yarasa yargı yarım yarış yas yasa yaş yatay yay yaya yayla yaz yazar yazı
yelken yelkovan yemin yer yığın yıl yılan yıldız yoğun yol yolcu yorgan yorgun yorum yön yönetmen
yufka yumurta yurttaş yuva yün yüz zafer zaman zamir zar zarar zarf zebra zemin zeytin zil zincir
zirve ziyaret zor zorba zurna zürafa
'''

# Stems that share a word: one is built from the other (av+ci is avcı), or both build a third
# (masa+li and masal+acc are masalı). To know one is to know words of the other.
_RELATED = '''
at ata, av avcı, ay ayı, boy boya, çakı çakıl, deney deneyim, dil dilim, elma elmas, han hanım,
iş işçi, kale kalem, kas kasa kasım, kaz kaza kazan, kil kilim, kol kola, kuru kurum, masa masal,
not nota, oy oyun, soru sorun, söz sözcü, spor sporcu, şiş şişe, tava tavan, top toplum, yas yasa,
yay yaya, yaz yazı, yol yolcu
'''

STEMS = tuple(_WORDS.split())
_ROOTS = {stem: group.split()[0] for group in _RELATED.split(',') for stem in group.split()}


def root(stem: str) -> str:
  """The first of the stems that are related to one, which is often itself."""
  return _ROOTS.get(stem, stem)
