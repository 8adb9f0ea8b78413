// The theme without losing what is being written. Loaded by chat.js when one is chosen.
export const choose = async (form, button) => {
  const reply = await fetch(form.action, { method: "POST", body: new FormData(form, button), redirect: "manual" });
  if (reply.type !== "opaqueredirect" && !reply.ok) throw new Error(reply.status);
  document.documentElement.dataset.theme = button.value;
  for (const each of form.querySelectorAll("button")) each.setAttribute("aria-pressed", String(each === button));
};
