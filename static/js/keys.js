// Keys that work anywhere in a page, and its dialogs: the command palette and the list of keys. Everything works without this file.
(() => {
  const on = (type, listener) => document.addEventListener(type, listener);

  // An element that has a key, or several, names it in data-key, and the last of its kind counts. A letter alone is none while one writes.
  const keyOf = ({ key, ctrlKey, metaKey, altKey, shiftKey }) => {
    const held = [(ctrlKey || metaKey) && "Control", altKey && "Alt", shiftKey && (ctrlKey || metaKey || key.length > 1) && "Shift"];
    return [...held, key.length === 1 ? key.toUpperCase() : key].filter(Boolean).join("+");
  };
  on("keydown", event => {
    const key = keyOf(event), isTyping = key.length === 1 && event.target.closest("input, textarea, select");
    if (event.isComposing || isTyping || document.querySelector("dialog[open]")) return;
    const element = [...document.querySelectorAll("[data-key]")].findLast(each => each.dataset.key.split(" ").includes(key));
    if (!element) return;
    event.preventDefault();
    if (element.matches("textarea")) element.focus();
    else element.click();
  });

  on("click", event => {
    const button = event.target.closest("[data-dialog]");
    if (!button) return;
    button.closest("dialog")?.close();
    document.getElementById(button.dataset.dialog).showModal();
  });

  // In the palette the arrows walk from the field through the options and back; Enter in the field takes the first one.
  const palette = document.getElementById("palette"), field = palette?.querySelector("input");
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  let isStale = false, isTaken = false; // what is shown is not yet for what is in the field; Enter was pressed meanwhile
  const options = () => [...palette.querySelectorAll(".options :is(a, button)")];
  const take = () => { isTaken = isStale; if (!isStale) options()[0]?.click(); };
  palette?.addEventListener("input", () => { isStale = true; });
  palette?.addEventListener("htmx:after:swap", () => { isStale = false; if (isTaken) take(); });
  palette?.addEventListener("close", () => { field.value = ""; isTaken = false; });
  palette?.addEventListener("keydown", event => {
    const stops = [field, ...options()], here = stops.indexOf(document.activeElement), step = steps[event.key];
    if (step) stops[(here + step + stops.length) % stops.length].focus();
    else if (event.key === "Enter" && here === 0) take();
    else return;
    event.preventDefault();
  });
})();
