// Drafts: what is in the composer outlives a reload, another page and a log in, for a week. They are a person's own, go when it is sent,
// and when that person logs out or another one comes. Loaded by chat.js once there is one, and by the page that asks whether to log out.
const WEEK = 6048e5; // milliseconds
const area = document.querySelector("#message"), log = document.querySelector("#log");
const on = (type, listener) => document.addEventListener(type, listener);
const drafts = () => Object.keys(localStorage).filter(key => key.startsWith("draft:"));
const draft = key => JSON.parse(localStorage[key] ?? null);
let keeping; // what was typed since it was last kept

const keep = () => {
  keeping = clearTimeout(keeping);
  if (!area?.dataset.draft) return;
  const isTemporary = area.form.elements.temporary?.checked;
  if (isTemporary || !area.value.trim()) return delete localStorage[area.dataset.draft];
  try { localStorage[area.dataset.draft] = JSON.stringify({ text: area.value, at: Date.now() }); } catch { /* there is no room */ }
};
const keepSoon = () => { clearTimeout(keeping); keeping = setTimeout(keep, 400); };
area?.addEventListener("input", keepSoon);
addEventListener("pagehide", () => keeping && keep()); // another tab may have sent what this one only showed
on("htmx:after:request", ({ detail: { ctx } }) => ctx.sourceElement === area?.form && ctx.response.status < 300 && keep());

on("submit", event => {
  const form = event.target, address = event.submitter?.getAttribute("formaction") ?? form.getAttribute("action");
  if (form.matches("#composer:not([hx-post])")) { // a new chat has been sent once there is a conversation
    keep();
    sessionStorage.sent = area.value;
  }
  if (!address?.endsWith("/logout/")) return;
  keeping = clearTimeout(keeping);
  for (const key of drafts()) delete localStorage[key];
});

const [person, place] = area?.dataset.draft?.match(/^draft:\d+:|[^:]+$/g) ?? [];
for (const key of drafts()) {
  const isSent = log && key === `${person}new` && draft(key).text === sessionStorage.sent;
  if (isSent || (person && !key.startsWith(person)) || draft(key).at < Date.now() - WEEK) delete localStorage[key];
}
if (log) delete sessionStorage.sent;
if (place && !area.value) area.value = draft(area.dataset.draft)?.text ?? "";
else if (area?.value) keepSoon(); // it was typed while this came
