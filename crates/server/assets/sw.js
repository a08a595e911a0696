// Shows that an agent asks, while no page is open, and leads to the page. Refuses to decide anything, to keep anything, and to lead
// anywhere but to that page.
"use strict";

const PAGE = "/approvals";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  let said;
  try {
    said = event.data.json();
  } catch {
    said = { title: PAGE };
  }
  const { title, body, tag, url, lang } = said;
  // A browser stops whoever is told and shows nothing.
  event.waitUntil(self.registration.showNotification(title, { body, tag, lang, dir: "auto", requireInteraction: true, data: url }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const given = new URL(event.notification.data ?? PAGE, self.location.origin);
  const url = given.origin === self.location.origin && given.pathname === PAGE ? given.href : PAGE;
  event.waitUntil(
    self.clients.matchAll({ type: "window" }).then((open) => {
      const there = open.find((one) => new URL(one.url).pathname === PAGE);
      return there ? there.focus() : self.clients.openWindow(url);
    }),
  );
});
