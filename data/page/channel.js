// What the server says arrives here, unseen, and is handed to the page.
watch('value', () => window.releaf.hear(element.querySelector('[data-serial]')));
