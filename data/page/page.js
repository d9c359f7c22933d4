// The page: region and language remembered, a photograph sent, a question asked, an answer shown, a button pressed. `element`, `props` and `trigger`
// come from Gradio.
const find = (name) => element.querySelector('#rf-' + name);
const texts = props.texts, languages = props.languages, regions = props.regions;
const memory = {
  get(name) { try { return localStorage.getItem('releaf-' + name); } catch { return null; } },
  set(name, value) { try { localStorage.setItem('releaf-' + name, value); } catch { /* private windows may refuse */ } },
};
const wanted = (navigator.languages || [navigator.language]).map((each) => each.toLowerCase());

const page = Object.assign(window.releaf ||= {}, {serial: 0, waiting: false});
const say = (key, slots = {}) => texts[page.language][key].replace(/\{(\w+)\}/g, (_, name) => slots[name]);
const status = (text) => { find('status').textContent = text; };
const answers = find('answers'), current = () => answers.querySelector('[data-serial]');

// A new request: its number tells its answer from a late one. A new photograph or question takes the answer before it away at once.
const begin = (text, clear) => {
  page.serial += 1;
  page.waiting = true;
  page.last = Date.now();
  if (clear) answers.replaceChildren();
  answers.setAttribute('aria-busy', 'true');
  status(text);
  return {serial: page.serial, language: page.language, region: find('region').value};
};
const end = (text) => {
  page.waiting = false;
  answers.removeAttribute('aria-busy');
  status(text);
};

// What the server says: how many are ahead, or the answer.
page.hear = (told) => {
  if (!told || Number(told.dataset.serial) !== page.serial || !page.waiting) return;
  page.last = Date.now();
  if (told.classList.contains('rf-waits')) return status(told.dataset.say);
  answers.replaceChildren(told.cloneNode(true));
  end(told.dataset.say);
  if (page.pressed) answers.querySelector(`[aria-labelledby="rf-thing-${page.pressed}"] .rf-bin`)?.focus();
  page.pressed = null;
};

// A button of the answer, the form for what is wrong, another region or language: all about the answer that is shown.
const about = (act, more) => trigger('click', {act, token: current().dataset.token, ...more, ...begin(say('thinking'), false)});
const again = () => { if (current()?.dataset.token) about('region', {}); };
answers.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-act]');
  if (!button) return;
  page.pressed = button.dataset.thing;
  about(button.dataset.act, {thing: Number(button.dataset.thing), key: button.dataset.key});
});
answers.addEventListener('submit', (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  page.pressed = form.get('thing');
  about('correct', {thing: Number(form.get('thing')), item: form.get('item'), photo: form.get('photo') === 'on'});
});

// language
const speak = (language) => {
  page.language = language;
  document.documentElement.lang = language;
  document.title = say('title');
  for (const each of element.querySelectorAll('[data-text]')) each.textContent = say(each.dataset.text);
  for (const each of find('region').options) each.textContent = say('region:' + each.value);
  find('question').placeholder = say('question_example');
};
for (const [name, title] of Object.entries(languages)) find('language').add(new Option(title, name));
for (const name of regions) find('region').add(new Option(name, name));
const spoken = memory.get('language') || wanted.map((each) => each.split('-')[0]).find((each) => each in languages) || 'en';
speak(spoken in languages ? spoken : 'en');
find('language').value = page.language;
find('language').addEventListener('change', () => {
  speak(find('language').value);
  memory.set('language', page.language);
  again();
});

// region: the one of the last visit, else the server's, else the browser's
const home = {de: 'germany', fr: 'france', ja: 'japan', 'en-gb': 'england', 'en-sg': 'singapore'};
const guessed = wanted.map((each) => home[each] || home[each.split('-')[0]]).find(Boolean) || 'us';
find('region').value = [memory.get('region'), props.region, guessed].find((each) => regions.includes(each));
find('region').addEventListener('change', () => {
  memory.set('region', find('region').value);
  again();
});

// a photograph
const post = (file) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  request.open('POST', new URL('photograph', document.baseURI));
  request.responseType = 'json';
  request.upload.onprogress = (event) => { if (event.lengthComputable) status(say('sending') + ' ' + Math.round(100 * event.loaded / event.total) + ' %'); };
  request.onload = () => (request.status === 200 ? resolve(request.response.photograph) : reject(request.response || {key: 'failed'}));
  request.onerror = () => reject({key: 'offline'});
  request.send(file);
});
const send = async (file) => {
  if (!file) return;
  const asked = begin(say('sending'), true);
  page.last = Infinity;
  try {
    if (file.size > props.most) throw {key: 'too_large', slots: {found: Math.ceil(file.size / 1e6), most: props.most / 1e6}};
    const photograph = await post(file);
    if (asked.serial !== page.serial) return;
    status(say('looking'));
    page.last = Date.now();
    trigger('upload', {act: 'look', photograph, ...asked});
  } catch (problem) {
    if (asked.serial === page.serial) end(problem.key in texts.en ? say(problem.key, problem.slots) : say('failed'));
  }
};
for (const name of ['camera', 'file']) {
  find(name).addEventListener('change', () => { const file = find(name).files[0]; find(name).value = ''; send(file); });
}
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => { event.preventDefault(); send(event.dataTransfer.files[0]); });
document.addEventListener('paste', (event) => { if (event.clipboardData.files[0]) send(event.clipboardData.files[0]); });

// where a mouse is used, the camera is the computer's own; a phone's file chooser has the camera in it
const dialog = find('dialog'), video = find('video');
const stop = () => { for (const track of video.srcObject?.getTracks() || []) track.stop(); video.srcObject = null; };
find('camera').addEventListener('click', async (event) => {
  if (!matchMedia('(pointer: fine)').matches || !navigator.mediaDevices) return;
  event.preventDefault();
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({video: {width: {ideal: 1920}, facingMode: 'environment'}});
    await video.play();
    dialog.showModal();
  } catch {
    stop();
    status(say('no_camera'));
  }
});
dialog.addEventListener('close', stop);
find('cancel').addEventListener('click', () => dialog.close());
find('shoot').addEventListener('click', () => {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d').drawImage(video, 0, 0);
  dialog.close();
  canvas.toBlob((blob) => send(blob), 'image/jpeg', 0.9);
});

// a question
find('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  const question = find('question').value.trim();
  if (question) trigger('submit', {act: 'ask', question, ...begin(say('thinking'), true)});
});

// an answer that does not come: is the server there?
setInterval(async () => {
  if (!page.waiting || Date.now() - page.last < 10000) return;
  page.last = Date.now();
  try {
    await fetch(new URL('theme.css', document.baseURI), {method: 'HEAD', cache: 'no-store'});
  } catch {
    end(say('offline'));
  }
}, 2000);
