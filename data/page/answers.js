// The answers: shown when they are the ones waited for; their buttons and the form say what was pressed.
const page = (window.releaf ||= {});
const current = () => element.querySelector('[data-serial]');

const show = () => {
  const answer = current();
  if (!answer || Number(answer.dataset.serial) !== page.serial) return;
  element.closest('#rf-answers').classList.remove('rf-old');
  page.end(answer.dataset.say);
  const target = page.pressed ? answer.querySelector(`[aria-labelledby="rf-thing-${page.pressed}"] .rf-bin`) : null;
  page.pressed = null;
  target?.focus();
};
watch('value', show);

const asked = (act, more) => trigger('click', {act, token: current().dataset.token, ...more, ...page.begin(page.say('thinking'), false)});
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-act]');
  if (!button) return;
  page.pressed = button.dataset.thing;
  asked(button.dataset.act, {thing: Number(button.dataset.thing), key: button.dataset.key});
});
element.addEventListener('submit', (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  page.pressed = form.get('thing');
  asked('correct', {thing: Number(form.get('thing')), item: form.get('item'), photo: form.get('photo') === 'on'});
});
page.again = () => { if (current()?.dataset.token && !element.closest('.rf-old')) asked('region', {}); };
