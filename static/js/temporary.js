// A temporary conversation is kept while a page shows it: this one says that it is open, and when it is left. Without this file it ends
// an hour after its last turn.
const form = document.querySelector("#presence");
const tell = isLeft => {
  const data = new FormData(form);
  if (isLeft) data.set("left", "1");
  navigator.sendBeacon(form.action, data);
};
const stay = () => tell(false);
stay();
addEventListener("pageshow", event => event.persisted && stay());
addEventListener("pagehide", () => tell(true));
document.addEventListener("told", ({ detail }) => detail === Number(form.dataset.conversation) && stay()); // left in another tab
document.addEventListener("visibilitychange", () => document.hidden || stay());
setTimeout(stay, 20e3); // a reload may be faster than what the page before it said last
setInterval(stay, 300e3);
