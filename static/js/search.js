// The search page: the address follows what is typed, and the arrows walk from the field through the results and back.
(() => {
  const form = document.getElementById("search"), field = form.elements.q;
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.sourceElement !== form || !ctx.response?.raw.ok) return;
    const address = new URL(form.action);
    if (field.value) address.searchParams.set("q", field.value);
    history.replaceState(history.state, "", address);
  });
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  document.getElementById("main").addEventListener("keydown", event => {
    const stops = [field, ...document.querySelectorAll("[data-result]")], here = stops.indexOf(document.activeElement), step = steps[event.key];
    if (!step || here < 0 || event.isComposing || (here === 0 && step < 0)) return;
    event.preventDefault();
    stops[Math.min(here + step, stops.length - 1)].focus();
  });
  // Once older results are there, the first of them follows the last one that was read.
  let last;
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => { last = ctx.sourceElement.closest?.("#older")?.previousElementSibling; });
  document.addEventListener("htmx:finally:request", () => last?.nextElementSibling?.querySelector("a").focus());
})();
