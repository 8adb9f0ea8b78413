// Keeps this page in step with what the same person does elsewhere. A socket tells where to look, in numbers; what is there is fetched
// as HTML. Losing it costs nothing but that, so nothing is said about it. Everything works without this file.
(() => {
  const $ = selector => document.querySelector(selector);
  const on = (target, type, listener) => target.addEventListener(type, listener);
  const list = $("#conversations"), news = $("#news"), log = $("#log");
  if (!list) return;
  const open = Number(list.dataset.open);
  const HIDDEN = 60e3, SILENT = 45e3, PROVEN = 10e3, LONGEST = 60e3; // milliseconds; the server pings every 15 s

  // Looking: one request at a time for each place. It waits while `isFree` says that a person or a request is at work there, and is
  // thrown away, and asked again, if that or the address has changed by the time its answer is there.
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
  const shown = () => { // the first message and the last, and the second of two that are compared
    const keys = selector => [...log.querySelectorAll(`:scope > ${selector}`)].map(each => each.id.slice(8)), all = keys("article");
    return `${news.dataset.live}?first=${all[0] ?? 0}&after=${all.at(-1) ?? 0}&rival=${keys(".is-compared").at(-1) ?? 0}`;
  };
  const posting = new Set(), waiting = [];

  // The sidebar is looked at page by page, so that it costs as little when many have been loaded. The first one has what is new and what
  // is pinned; another one is looked at if it has the conversation, and all of them for what may come back anywhere in the list.
  const isFree = () => !list.querySelector(".rename");
  const whole = lookout(list, () => list.dataset.live, "innerHTML", isFree); // too much has come into a page: begin anew
  const lookouts = new WeakMap();
  const lookoutOf = page => {
    if (!lookouts.has(page)) lookouts.set(page, lookout(page, () => page.dataset.live, "innerMorph", isFree));
    return lookouts.get(page);
  };
  const pages = () => [...list.querySelectorAll("[data-live]")];
  const sidebar = {
    look: (isHere = () => true) => pages().forEach((page, place) => (!place || isHere(page)) && lookoutOf(page).look()),
    again: () => pages().forEach(page => lookoutOf(page).again()),
  };
  const ANYWHERE = ["restored", "moved", "imported"];
  const turns = news && lookout(news, shown, "innerHTML", () => !posting.size);
  const lookEverywhere = () => { sidebar.look(); turns?.look(); };
  const lookAgain = () => { sidebar.again(); turns?.again(); };
  on(document, "looked-away", lookAgain); // what a person was at work on is done

  // What this page begins itself is shown by the answer to its own request, so what is told meanwhile waits for that.
  on(document, "htmx:before:request", ({ detail: { ctx } }) => ctx.sourceElement.matches?.("[hx-post]") && posting.add(ctx));
  on(document, "htmx:finally:request", ({ detail: { ctx } }) => {
    if (!posting.delete(ctx) || posting.size) return;
    waiting.splice(0).forEach(hear);
    if (ctx.sourceElement.closest("#sidebar, #notice") && ctx.response?.status < 300) lookEverywhere();
    lookAgain();
  });

  // Answers that ended in other conversations are marked until they are opened in this tab.
  const finished = new Set(JSON.parse(sessionStorage.finished ?? "[]"));
  const mark = (number, isFinished) => {
    finished[isFinished ? "add" : "delete"](`conversation-${number}`);
    sessionStorage.finished = JSON.stringify([...finished]);
    showMarks();
  };
  const showMarks = () => {
    const seen = new Set();
    for (const item of list.querySelectorAll("li[id]")) {
      if (seen.has(item.id)) item.remove(); // it has gone up to a page before, and this one has not been looked at again yet
      seen.add(item.id);
      item.toggleAttribute("data-finished", finished.has(item.id));
    }
  };
  on(list, "htmx:after:swap", showMarks);
  mark(open, false);

  const hear = ({ event, data }) => {
    if (event === "ping") return;
    if (event === "all") return lookEverywhere();
    if (posting.size) return waiting.push({ event, data });
    const isHere = data.conversation === open, hasEnded = event === "ended";
    mark(data.conversation, hasEnded && !isHere);
    sidebar.look(page => ANYWHERE.includes(event) || page.querySelector(`#conversation-${data.conversation}`));
    document.dispatchEvent(new CustomEvent("told", { detail: data.conversation }));
    if (isHere && !hasEnded && !(data.answer && $(`#message-${data.answer}`))) turns?.look();
  };

  // The socket. `since` is when the page was made: what changed until the socket was there is told first. Later, the page looks itself.
  let socket, timer, closing, begun = 0, seen = 0, tries = 0, since = list.dataset.since;
  const connect = () => {
    clearTimeout(timer);
    if (socket || document.hidden) return;
    const mine = socket = new WebSocket(`${location.origin.replace("http", "ws")}/changes?since=${since}`);
    begun = seen = Date.now();
    on(mine, "open", () => { if (!since) lookEverywhere(); since = ""; });
    on(mine, "message", message => { seen = Date.now(); hear(JSON.parse(message.data)); });
    on(mine, "close", ({ code }) => mine === socket && lose(code !== 4401)); // 4401: nobody is logged in any more
  };
  const lose = isToReturn => {
    const lost = socket;
    [socket, since] = [undefined, ""];
    if (lost?.readyState === WebSocket.OPEN) lost.close();
    clearTimeout(timer);
    if (Date.now() - begun > PROVEN) tries = 0;
    if (isToReturn) timer = setTimeout(connect, (0.5 + Math.random()) * Math.min(LONGEST, 1000 * 2 ** tries++));
  };
  on(document, "visibilitychange", () => {
    clearTimeout(closing);
    if (document.hidden) { closing = setTimeout(() => lose(false), HIDDEN); return; }
    lookAgain();
    connect();
  });
  on(window, "pagehide", () => lose(false));
  on(window, "pageshow", event => event.persisted && connect());
  on(window, "online", connect);
  setInterval(() => socket && Date.now() - seen > SILENT && lose(true), 15e3);
  connect();

  // What is seldom needed comes when it is: the menus of the sidebar at the first sign of a person there. The server learns the time zone.
  const nav = list.closest("nav"), menus = () => import(nav.dataset.module);
  for (const type of ["pointerover", "focusin"]) nav.addEventListener(type, menus, { once: true });
  on(nav, "click", async event => {
    const button = event.target.closest("[form=options]");
    if (!button) return;
    event.preventDefault();
    (await menus()).open(button);
  });
  const presence = $("#presence");
  if (presence) import(presence.dataset.module);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.includes(`timezone=${zone}`)) document.cookie = `timezone=${zone};path=/;max-age=31536000;samesite=lax`;
})();
