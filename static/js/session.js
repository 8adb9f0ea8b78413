// Somebody has logged in again, in another tab: every form of this page gets the token of the new session. If it is somebody else, the
// page is not theirs. Loaded by live.js when it happens.
const who = page => page.querySelector(".account summary")?.textContent.trim();

export const renew = async () => {
  const reply = await fetch(location.href).catch(() => null);
  const page = new DOMParser().parseFromString(await reply?.text() ?? "", "text/html");
  if (!reply?.ok || who(page) !== who(document)) return location.reload();
  const { value } = page.querySelector("[name=csrfmiddlewaretoken]");
  for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = value;
};
