// What has become of the sidebar and of the turns, fetched as HTML and put in the place of what the page shows. Loaded by live.js when there
// is something to look at.
const $ = selector => document.querySelector(selector);
const list = $("#conversations"), news = $("#news"), log = $("#log");

// One request at a time for each place. It waits while `isFree` says that a person or a request is at work there, and is thrown away, and
// asked again, if that or the address has changed by the time its answer is there.
const lookout = (element, addressNow, swap, isFree) => {
  let isLooking = false, isWanted = false;
  const look = async () => {
    isWanted = true;
    if (isLooking || document.hidden || !isFree()) return;
    const asked = addressNow();
    [isLooking, isWanted] = [true, false];
    const reply = await fetch(asked, { headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(30e3) }).catch(() => null);
    if (reply?.status === 205) whole.look();
    const text = reply?.ok && await reply.text().catch(() => "");
    if (text && isFree() && asked === addressNow()) await show(text);
    else if (text) isWanted = true;
    isLooking = false;
    if (isWanted) look();
  };
  const show = async text => {
    const focused = document.activeElement, address = list.contains(focused) && focused.getAttribute("formaction");
    await htmx.swap({ sourceElement: element, target: element, swap, text });
    if (focused === document.activeElement) return;
    const isLost = address && document.activeElement === document.body; // what had it has moved to another page of the list, or is gone
    const same = element.contains(focused) ? focused : isLost && (list.querySelector(`[formaction="${address}"]`) ?? $("#notice button"));
    same?.focus?.({ preventScroll: true });
  };
  return { look, again: () => isWanted && look() };
};

// The sidebar is looked at page by page, so that it costs as little when many have been loaded. The first one has what is new and what
// is pinned; another one is looked at if it has the conversation, and all of them for what may come back anywhere in the list.
const isUntouched = () => !list.querySelector(".rename");
const whole = lookout(list, () => list.dataset.live, "innerHTML", isUntouched); // too much has come into a page: begin anew
const lookouts = new WeakMap();
const lookoutOf = page => {
  if (!lookouts.has(page)) lookouts.set(page, lookout(page, () => page.dataset.live, "innerMorph", isUntouched));
  return lookouts.get(page);
};
const pages = () => [...list.querySelectorAll("[data-live]")];
export const lookAtSidebar = (isHere = () => true) => pages().forEach((page, place) => (!place || isHere(page)) && lookoutOf(page).look());

const shown = () => { // the first message and the last, and the second of two that are compared
  const keys = selector => [...log.querySelectorAll(`:scope > ${selector}`)].map(each => each.id.slice(8)), all = keys("article");
  return `${news.dataset.live}?first=${all[0] ?? 0}&after=${all.at(-1) ?? 0}&rival=${keys(".is-compared").at(-1) ?? 0}`;
};
let isIdle; // says whether no request of the page's own is under way, which shows itself what it changes
const turns = news && lookout(news, shown, "innerHTML", () => isIdle());
export const lookAtTurns = test => {
  isIdle = test;
  turns?.look();
};
export const lookAgain = () => {
  for (const page of pages()) lookoutOf(page).again();
  if (isIdle) turns?.again();
};
document.addEventListener("looked-away", lookAgain); // what a person was at work on is done
