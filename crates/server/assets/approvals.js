// What the pages about agents do better with a script: time runs, what is new comes by itself, and this browser can be told. Loaded at
// the end, from this server. Refuses to decide anything, and to move a card away from under a finger: what is over stays in its place.
"use strict";

const live = document.getElementById("live");
const cards = document.getElementById("cards");
const title = document.title;
const localTime = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

/** The moment, by this browser's clock, at which a time on the page is up. */
function started(root) {
  for (const time of root.querySelectorAll("[data-left]")) time.end = performance.now() + Number(time.dataset.left) * 1000;
}

function tick() {
  let over = false;
  for (const time of document.querySelectorAll("[data-left]")) {
    const left = Math.max(0, Math.ceil((time.end - performance.now()) / 1000));
    time.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left === 0) {
      over = true;
      delete time.dataset.left;
    }
  }
  if (over) setTimeout(refresh, 500);
}

/** What is over has nothing to press any more. */
function end(card) {
  if (card.dataset.look === "over") return;
  card.dataset.look = "over";
  card.classList.add("over");
  card.querySelector("[data-state]").textContent = live.dataset.over;
  for (const part of card.querySelectorAll(".two, .left, .also")) part.remove();
}

/** Takes over what another copy of the page shows, without moving what stands here. */
function merge(page) {
  const theirs = new Map(Array.from(page.querySelectorAll("[data-card]"), (card) => [card.dataset.card, card]));
  const news = [];
  for (const card of cards.querySelectorAll("[data-card]")) {
    const now = theirs.get(card.dataset.card);
    theirs.delete(card.dataset.card);
    if (!now) end(card);
    else if (now.dataset.look !== card.dataset.look) {
      const held = card.contains(document.activeElement);
      const next = document.importNode(now, true);
      card.replaceWith(next);
      started(next);
      if (held) next.querySelector("button")?.focus();
    }
  }
  for (const card of theirs.values()) {
    const next = document.importNode(card, true);
    cards.append(next);
    started(next);
    news.push(`${next.querySelector("h2").textContent}: ${next.querySelector("[data-state]").textContent}`);
  }
  if (news.length > 0) document.getElementById("news").textContent = news.join(". ");
  document.getElementById("nothing").hidden = cards.childElementCount > 0;
  const history = document.importNode(page.getElementById("history"), true);
  for (const time of history.querySelectorAll("time[data-local]")) {
    time.title = time.textContent;
    time.textContent = localTime.format(new Date(time.dateTime));
  }
  document.getElementById("history").replaceWith(history);
  live.dataset.mark = page.getElementById("live").dataset.mark;
  count();
}

/** How many wait, where one sees it in another tab. */
function count() {
  const waiting = cards.querySelectorAll('form[action="/approvals/approve"]').length;
  document.title = waiting > 0 ? `(${waiting}) ${title}` : title;
}

let looking = false;
let again = false;

async function refresh() {
  again = looking;
  if (looking) return;
  looking = true;
  try {
    const query = location.pathname === "/approvals" ? location.search : "";
    const answer = await fetch(`/approvals${query}`, { cache: "no-store" });
    // Signed out meanwhile: the page itself says so.
    if (answer.redirected) location.assign("/approvals");
    else if (answer.ok) merge(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // Without the network there is no news; the stream comes back by itself.
  } finally {
    looking = false;
    if (again) refresh();
  }
}

if (live) {
  started(document);
  tick();
  count();
  setInterval(tick, 500);
  const source = new EventSource(live.dataset.events);
  source.addEventListener("mark", (event) => {
    if (event.data !== live.dataset.mark) refresh();
  });
  source.addEventListener("error", () => {
    // Refused for good: there are too many streams, or none may be had. Asking now and then does as well.
    if (source.readyState === EventSource.CLOSED) setInterval(refresh, 10_000);
  });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

const push = document.getElementById("push");

/** Has the browser make what we may send to, and sends it with the form. */
async function subscribe(form) {
  const worker = await navigator.serviceWorker.register("/sw.js");
  await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey: form.dataset.key };
  let made;
  try {
    made = await worker.pushManager.subscribe(options);
  } catch (error) {
    if (error.name !== "InvalidStateError") throw error;
    // Of an older key of this server.
    await (await worker.pushManager.getSubscription())?.unsubscribe();
    made = await worker.pushManager.subscribe(options);
  }
  const { endpoint, keys } = made.toJSON();
  for (const [name, value] of Object.entries({ endpoint, p256dh: keys.p256dh, auth: keys.auth })) form.elements[name].value = value;
  form.requestSubmit();
}

if (push && "serviceWorker" in navigator && "PushManager" in window) {
  push.hidden = false;
  push.querySelector("button").addEventListener("click", (event) => {
    if (push.elements.endpoint.value) return;
    event.preventDefault();
    subscribe(push).catch(() => (document.getElementById("push-no").hidden = false));
  });
}
