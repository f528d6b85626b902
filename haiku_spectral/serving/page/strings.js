// What the page says, in English and Turkish.

const TEXTS = {
  en: {
    tab_text: 'Text', tab_training: 'Training', new_session: 'New session', untitled: 'Untitled',
    language: 'Türkçe', theme: 'Light or dark', help: 'Help', menu: 'Sessions', mode: 'Mode',
    context: 'context', state: 'state', per_byte: 'per byte', bytes: 'bytes', seed: 'seed',
    temperature: 'temperature', any: 'any', sampling: 'Sampling', close: 'Close', enter: 'Enter',
    measure: 'Only measure the surprise', composer: 'What you write', fork: 'Fork',
    save: 'Download the session file', remove: 'Delete', sure: 'Delete for good?', yes: 'Delete',
    no: 'Keep', continue: 'Continue', talk: 'Talk', write_on: 'Write on', answer: 'Send',
    stop: 'Stop', you: 'you', model: 'model', now: 'now',
    hint_continue: 'Begin a text, or paste one. The model goes on.',
    hint_more: 'Add something, or let it go on.', hint_talk: 'Say something.',
    empty_title: 'See what the model saw coming.',
    empty_text: 'The model reads and writes bytes. Its memory has one size, however long the text '
      + 'becomes, and what it was told is there tomorrow.',
    legend_surprise: 'surprise, bits', legend_recalled: 'recalled exactly',
    offline: 'The server does not answer. What was finished is safe.', retry: 'Try again',
    broke: 'The stream broke off. What came until then is kept.', gone: 'This session is gone.',
    no_model: 'No model is served here; the run below is only watched.',
    token_title: 'Token', token_text: 'This server asks for the token it was started with.',
    tip_bits: '{0} bits', tip_chance: '{0} expected', tip_control: 'control byte',
    tip_part: 'a byte that is no character', tip_prompt: 'given', tip_text: 'generated',
    tip_recalled: 'recalled: {0} bytes of context, {1} bytes back',
    bytes_of: '{0} B', held: 'held-out', train: 'training', step: 'step', left: 'left',
    speed: 'speed', skipped: 'skipped', loss: 'bits per byte', by_source: 'bits per byte by source',
    rate: 'learning rate', norm: 'gradient norm', throughput: 'bytes per second', done: 'finished',
    waiting: 'Waiting for the first step …', earlier: '{0} earlier bytes are not shown',
    help_text: [
      ['Ctrl Enter', 'go on (in a talk Enter alone)'], ['Esc', 'stop'], ['/', 'to the composer'],
      ['Alt N', 'new session'], ['Alt ↑ ↓', 'other session'], ['← →', 'byte by byte, in the text'],
      ['Alt S', 'surprise on or off'],
      ['', 'Colour is surprise: how many bits a byte cost the model. Hover, or walk with the '
        + 'arrows, to see each one.'],
      ['', 'Underlined is what the text repeats: the last 8 bytes or more had stood in it before, '
        + 'followed by this byte. The tables of the model keep no positions, so the server finds '
        + 'the place again in the text itself.'],
      ['', 'A byte that is no character shows as its number.'],
    ],
    examples: ['Shall I compare thee to a ', 'Bir varmış, bir yokmuş, ', 'def median(values):\n'],
  },
  tr: {
    tab_text: 'Metin', tab_training: 'Eğitim', new_session: 'Yeni oturum', untitled: 'Adsız',
    language: 'English', theme: 'Açık ya da koyu', help: 'Yardım', menu: 'Oturumlar', mode: 'Kip',
    context: 'bağlam', state: 'durum', per_byte: 'bayt başına', bytes: 'bayt', seed: 'tohum',
    temperature: 'sıcaklık', any: 'rastgele', sampling: 'Örnekleme', close: 'Kapat', enter: 'Gir',
    measure: 'Yalnızca şaşkınlığı ölç', composer: 'Yazdığınız', fork: 'Çatalla',
    save: 'Oturum dosyasını indir', remove: 'Sil', sure: 'Temelli silinsin mi?', yes: 'Sil',
    no: 'Kalsın', continue: 'Sürdür', talk: 'Konuş', write_on: 'Sürdür', answer: 'Gönder',
    stop: 'Durdur', you: 'siz', model: 'model', now: 'şimdi',
    hint_continue: 'Bir metne başlayın ya da yapıştırın. Model sürdürür.',
    hint_more: 'Bir şey ekleyin ya da bırakın sürdürsün.', hint_talk: 'Bir şey söyleyin.',
    empty_title: 'Model neyi bekliyordu, görün.',
    empty_text: 'Model bayt okur, bayt yazar. Belleği, metin ne kadar uzarsa uzasın, hep aynı '
      + 'boydadır; ona söylenen yarın da oradadır.',
    legend_surprise: 'şaşkınlık, bit', legend_recalled: 'birebir anımsanan',
    offline: 'Sunucu yanıt vermiyor. Biten her şey güvende.', retry: 'Yeniden dene',
    broke: 'Akış koptu. O ana dek gelenler saklandı.', gone: 'Bu oturum artık yok.',
    no_model: 'Burada model sunulmuyor; yalnızca aşağıdaki eğitim izleniyor.',
    token_title: 'Anahtar', token_text: 'Bu sunucu, başlatılırken verilen anahtarı istiyor.',
    tip_bits: '{0} bit', tip_chance: 'beklenti {0}', tip_control: 'denetim baytı',
    tip_part: 'karakter olmayan bayt', tip_prompt: 'verilen', tip_text: 'üretilen',
    tip_recalled: 'anımsandı: {0} bayt bağlam, {1} bayt geriden',
    bytes_of: '{0} B', held: 'sınama', train: 'eğitim', step: 'adım', left: 'kaldı',
    speed: 'hız', skipped: 'atlanan', loss: 'bayt başına bit', by_source: 'kaynağa göre bayt başına bit',
    rate: 'öğrenme hızı', norm: 'gradyan normu', throughput: 'saniyede bayt', done: 'bitti',
    waiting: 'İlk adım bekleniyor …', earlier: 'önceki {0} bayt gösterilmiyor',
    help_text: [
      ['Ctrl Enter', 'sürdür (konuşmada yalnız Enter)'], ['Esc', 'durdur'], ['/', 'yazı kutusuna'],
      ['Alt N', 'yeni oturum'], ['Alt ↑ ↓', 'başka oturum'], ['← →', 'metinde bayt bayt'],
      ['Alt S', 'şaşkınlık açık ya da kapalı'],
      ['', 'Renk şaşkınlıktır: bir baytın modele kaç bite mal olduğu. Üzerine gelin ya da oklarla '
        + 'yürüyün, her birini görün.'],
      ['', 'Altı çizili olan, metnin yinelediğidir: öncesindeki 8 ya da daha çok bayt metinde daha '
        + 'önce de bu baytla sürmüştü. Modelin tabloları yer tutmaz; sunucu yeri metnin kendisinde '
        + 'yeniden bulur.'],
      ['', 'Karakter olmayan bir bayt, sayısıyla gösterilir.'],
    ],
    examples: ['Bir varmış, bir yokmuş, ', 'Shall I compare thee to a ', 'def median(values):\n'],
  },
};

let language = localStorage.getItem('language')
  || ((navigator.language || '').toLowerCase().startsWith('tr') ? 'tr' : 'en');

export const t = (key, ...values) => {
  const text = TEXTS[language][key];
  return values.reduce((all, value, i) => all.replace(`{${i}}`, value), text);
};

export const locale = () => language;

export function switchLanguage() {
  language = language === 'tr' ? 'en' : 'tr';
  localStorage.setItem('language', language);
}

export function translate(root = document) {
  document.documentElement.lang = language;
  for (const node of root.querySelectorAll('[data-t]')) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll('[data-label]')) {
    node.title = t(node.dataset.label);
    node.setAttribute('aria-label', t(node.dataset.label));
  }
  for (const node of root.querySelectorAll('[data-hint]')) node.placeholder = t(node.dataset.hint);
}

export const number = (value, digits = 0) => value.toLocaleString(
  language, {minimumFractionDigits: digits, maximumFractionDigits: digits});

export const compact = (value) => new Intl.NumberFormat(
  'en', {notation: 'compact', maximumFractionDigits: 1}).format(value);

export const size = (bytes) => bytes < 1e4 ? `${number(bytes)} B`
  : bytes < 1e6 ? `${number(bytes / 1e3, bytes < 1e5 ? 1 : 0)} kB` : `${number(bytes / 1e6, 1)} MB`;

export function ago(seconds) {
  const past = Math.max(Date.now() / 1000 - seconds, 0);
  const [unit, length] = past < 60 ? ['', 1] : past < 3600 ? ['minute', 60]
    : past < 86400 ? ['hour', 3600] : ['day', 86400];
  if (!unit) return t('now');
  return new Intl.RelativeTimeFormat(language, {style: 'narrow'})
    .format(-Math.floor(past / length), unit);
}

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.round(seconds), two = (x) => String(x).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}
