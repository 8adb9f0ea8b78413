// Copy: the text of an answer from its URL, a block of code or a link from the page. Loaded by chat.js when a copy button comes near.
const read = async button => {
  if (!button.href) return button.closest("figure, article").querySelector(button.dataset.copy || "code").textContent;
  const reply = await fetch(button.href);
  if (!reply.ok) throw new Error(reply.status);
  return reply.text();
};
const write = async pending => {
  if (navigator.clipboard && window.ClipboardItem) {
    const blob = pending.then(value => new Blob([value], { type: "text/plain" }));
    return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
  }
  const area = document.createElement("textarea"); // http://LAN is no secure context
  area.value = await pending;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("copy");
};
export const copy = async button => {
  await write(read(button));
  button.dataset.done = "";
  setTimeout(() => delete button.dataset.done, 1500);
};
