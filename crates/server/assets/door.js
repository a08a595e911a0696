// What pages do better with a script, and do without one. Loaded at the end, from this server, and never inline. Refuses to
// send anything: a form is sent by whoever presses its button.
"use strict";

/** Copies what stands in an element, and says so beside the button. */
async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const said = button.nextElementSibling;
  const text = source.textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS there is no clipboard: the text is selected, and the person's own copy does it.
    const all = document.createRange();
    all.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(all);
    return;
  }
  said.textContent = button.dataset.copied;
  setTimeout(() => (said.textContent = ""), 3000);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

/** Digits of any script as ASCII: the server reads them too, but the boxes show one each. */
function ascii(symbol) {
  if (!/\p{Nd}/u.test(symbol)) return symbol;
  let zero = symbol.codePointAt(0);
  // Each script's digits stand in order, ten at a time.
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1)) && symbol.codePointAt(0) - zero < 9) zero -= 1;
  return String(symbol.codePointAt(0) - zero);
}

/** A code as it is typed: without spaces, hyphens and whatever else was pasted along. */
function cleaned(text, kind) {
  const symbols = Array.from(text, ascii).join("");
  return kind === "digits" ? symbols.replace(/[^0-9]/g, "") : symbols.replace(/[^0-9a-z]/gi, "").toUpperCase();
}

for (const field of document.querySelectorAll("[data-code]")) {
  field.addEventListener("paste", (event) => {
    event.preventDefault();
    const whole = cleaned(event.clipboardData.getData("text"), field.dataset.code);
    // The whole code at once takes the place of what was there; a part goes where the cursor is.
    if (whole.length >= Number(field.dataset.length)) field.value = whole;
    else field.setRangeText(whole, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input"));
  });
  field.addEventListener("input", (event) => {
    // Not in the middle of a composition: an input method would lose what it holds.
    if (event.isComposing) return;
    const at = cleaned(field.value.slice(0, field.selectionStart), field.dataset.code).length;
    const clean = cleaned(field.value, field.dataset.code);
    if (clean === field.value) return;
    field.value = clean;
    field.setSelectionRange(at, at);
  });
}

/** Counts down until the code may be asked for again. The server refuses before that in any case. */
function countDown(form) {
  const button = form.querySelector("button");
  const said = form.querySelector("[data-countdown]");
  const end = performance.now() + Number(form.dataset.resendIn) * 1000;
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    button.disabled = left > 0;
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    said.textContent = left > 0 ? form.dataset.wait.replace("{time}", time) : form.dataset.ready;
    if (left > 0) setTimeout(tick, 500);
  };
  tick();
}

for (const form of document.querySelectorAll("[data-resend-in]")) {
  if (Number(form.dataset.resendIn) > 0) countDown(form);
}

// Times are in UTC; whoever reads them is somewhere.
const local = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time[data-local]")) {
  time.title = time.textContent;
  time.textContent = local.format(new Date(time.dateTime));
}
