// Django's pair of boxes for many rows names its search fields by icons that have a name and no role (ARIA forbids that).
// It draws them on load, in a listener that was added before this one.
addEventListener("load", () => {
  for (const icon of document.querySelectorAll(".search-label-icon[aria-label]")) icon.role = "img";
});

// A test of a connection changes nothing in the form: what it found is shown beside the button, and the key that was typed stays.
// Without this script, or where the server finds a fault in the form, the page comes back whole, with all but the key.
addEventListener("submit", async event => {
  const form = event.target, button = event.submitter;
  if (button?.name !== "_test") return;
  event.preventDefault();
  if (form.ariaBusy) return;
  const result = form.querySelector(".connection-test-result"), label = button.value;
  form.ariaBusy = "true";
  button.value = "Testing …";
  result.replaceChildren();
  try {
    const reply = await fetch(form.action, { method: "POST", body: new FormData(form, button) });
    const page = new DOMParser().parseFromString(await reply.text(), "text/html"), found = page.querySelector(".messagelist");
    if (!reply.ok || !found || page.querySelector(".errorlist")) throw new Error("not tested");
    for (const message of found.querySelectorAll(".key-gone")) message.remove();
    result.append(found);
  } catch {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "_test" }));
    form.submit();
  } finally {
    form.ariaBusy = null;
    button.value = label;
  }
});
