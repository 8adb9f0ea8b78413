// Saved prompts in the composer: `/` at the start of a message offers them, the arrows choose, Enter or Tab takes one, Escape closes.
// Loaded by chat.js when a `/` is first typed. What is shown is HTML of the server; without script the page of saved prompts does the same.
const HTMX = { "HX-Request": "true" };
const say = sentence => { document.querySelector("#sr").textContent = sentence; };
let area, box, dismissed = "";

export function offer(textarea) {
  if (area !== textarea) set(textarea);
  if (box.hidden) open();
}

function set(textarea) {
  area = textarea;
  box = document.createElement("div");
  box.className = "offers";
  box.hidden = true;
  area.form.before(box);
  area.setAttribute("aria-autocomplete", "list");
  area.addEventListener("input", () => {
    if (!area.value) dismissed = "";
    if (!/^\/[\w-]*$/.test(area.value)) close();
    else if (!box.hidden) filter();
  });
  area.addEventListener("keydown", event => !box.hidden && options().length && KEYS[event.key]?.(event));
  area.addEventListener("blur", () => setTimeout(() => box.contains(document.activeElement) || close(), 150));
  box.addEventListener("pointerdown", event => event.target.closest("[role=option]") && event.preventDefault()); // the focus stays
  box.addEventListener("click", event => { const option = event.target.closest("[role=option]"); if (option) take(option); });
  box.addEventListener("submit", event => { event.preventDefault(); fill(event.target.action, new FormData(event.target)); });
  box.addEventListener("keydown", event => FORM_KEYS[event.key]?.(event));
}

async function ask(url, options) {
  const reply = await fetch(url, { headers: HTMX, ...options }).catch(() => null);
  if (reply?.ok) return reply.text();
  say("The saved prompts cannot be reached.");
  return "";
}

async function open() {
  if (dismissed && area.value.startsWith(dismissed)) return;
  dismissed = "";
  const html = await ask(area.dataset.prompts);
  if (!html || !box.hidden || !/^\/[\w-]*$/.test(area.value)) return;
  box.innerHTML = html;
  filter();
}

const options = () => [...box.querySelectorAll("[role=option]:not([hidden])")];
const chosen = () => box.querySelector("[aria-selected=true]");

function filter() {
  const typed = area.value.slice(1).toLowerCase();
  for (const option of box.querySelectorAll("[role=option]")) option.hidden = !option.dataset.command.includes(typed);
  box.hidden = !options().length && area.value !== "/";
  choose(options().find(option => option.dataset.command.startsWith(typed)) ?? options()[0]);
  if (!box.hidden) say(options().length === 1 ? "1 saved prompt" : `${options().length} saved prompts`);
}

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) area.setAttribute("aria-activedescendant", option.id);
  else area.removeAttribute("aria-activedescendant");
}

const step = by => { const all = options(); choose(all[(all.indexOf(chosen()) + by + all.length) % all.length]); };
const handled = action => event => {
  if (event.isComposing || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation(); // Enter does not send
  action();
};
const KEYS = {
  ArrowDown: handled(() => step(1)),
  ArrowUp: handled(() => step(-1)),
  Enter: handled(() => take(chosen())),
  Tab: handled(() => take(chosen())),
  Escape: handled(() => { dismissed = area.value; close(); }),
};

// In the form of the variables Enter leads to the next one, and from the last into the composer; touch keyboards keep Enter.
function next(event) {
  if (!event.target.matches("textarea") || matchMedia("(pointer: coarse)").matches) return;
  const fields = [...box.querySelectorAll("textarea")], field = fields[fields.indexOf(event.target) + 1];
  handled(() => field ? field.focus() : event.target.form.requestSubmit())(event);
}
const FORM_KEYS = { Enter: next, Escape: handled(back) };

async function take(option) {
  if (!("asks" in option.dataset)) return fill(option.dataset.use, new FormData());
  const html = await ask(option.dataset.use);
  if (!html) return;
  box.innerHTML = html;
  area.removeAttribute("aria-activedescendant");
  (box.querySelector("textarea") ?? box.querySelector("button")).focus();
}

async function fill(url, data) {
  data.set("csrfmiddlewaretoken", area.form.elements.csrfmiddlewaretoken.value);
  const text = await ask(url, { method: "POST", body: data });
  if (!text) return;
  area.value = text;
  area.dispatchEvent(new Event("input", { bubbles: true }));
  back();
  area.setSelectionRange(text.length, text.length);
}

function back() {
  close();
  area.focus();
}

function close() {
  box.hidden = true;
  area.removeAttribute("aria-activedescendant");
}
