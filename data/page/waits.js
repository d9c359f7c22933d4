// How many are ahead in the queue, said where the page says everything else.
watch('value', () => {
  const told = element.querySelector('[data-serial]'), page = (window.releaf ||= {});
  if (!told || Number(told.dataset.serial) !== page.serial || !page.waiting) return;
  page.last = Date.now();
  page.status(told.dataset.say);
});
