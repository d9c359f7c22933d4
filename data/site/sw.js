// Keeps every file of one version of the site, so that it works without a connection. VERSION and FILES are written above by the export.
const CACHE = `releaf ${self.registration.scope} ${VERSION}`;

async function keep() { // all or nothing; a file that is not the one of this version is refused by its hash
  const cache = await caches.open(CACHE);
  for (const [path, integrity] of Object.entries(FILES)) {
    if (await cache.match(path)) continue;
    const answer = await fetch(new Request(path, { cache: "no-cache", integrity }));
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    await cache.put(path, new Response(answer.body, { headers: answer.headers })); // a redirected answer would not do for a page
  }
}

async function dropOthers() {
  const mine = `releaf ${self.registration.scope} `;
  await Promise.all((await caches.keys()).filter((name) => name.startsWith(mine) && name !== CACHE).map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function answered(request) {
  const path = new URL(request.url).href.slice(self.registration.scope.length).replace(/[?#].*/, "") || "index.html";
  return await (await caches.open(CACHE)).match(path) ?? fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(dropOthers()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (new URL(request.url).origin !== self.location.origin) event.respondWith(Response.error()); // no other host is ever asked
  else if (request.method === "GET" && request.url.startsWith(self.registration.scope)) event.respondWith(answered(request));
});
