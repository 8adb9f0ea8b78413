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
      const text = reply?.ok && await reply.text().catch(() => "");
      if (text && isFree() && asked === addressNow()) await show(text);
      else if (text) isWanted = true;
      isLooking = false;
      if (isWanted) look();
    };
    const show = async text => {
      const focused = document.activeElement;
      await htmx.swap({ sourceElement: element, target: element, swap, text });
      if (focused !== document.activeElement && element.contains(focused)) focused.focus({ preventScroll: true });
    };
    return { look, again: () => isWanted && look() };
  };
  const posting = new Set(), waiting = [];
  const sidebar = lookout(list, () => list.dataset.live, "innerMorph", () => !list.querySelector(":popover-open"));
  const turns = news && lookout(news, () => `${news.dataset.live}?after=${log.lastElementChild?.id.slice(8) ?? 0}`, "innerHTML", () => !posting.size);
  const lookEverywhere = () => { sidebar.look(); turns?.look(); };
  const lookAgain = () => { sidebar.again(); turns?.again(); };
  list.addEventListener("toggle", lookAgain, true); // it does not bubble

  // What this page begins itself is shown by the answer to its own request, so what is told meanwhile waits for that.
  on(document, "htmx:before:request", ({ detail: { ctx } }) => ctx.sourceElement.matches?.("[hx-post]") && posting.add(ctx));
  on(document, "htmx:finally:request", ({ detail: { ctx } }) => {
    if (!posting.delete(ctx) || posting.size) return;
    waiting.splice(0).forEach(hear);
    lookAgain();
  });

  // Answers that ended in other conversations are marked until they are opened in this tab.
  const finished = new Set(JSON.parse(sessionStorage.finished ?? "[]"));
  const mark = (number, isFinished) => {
    finished[isFinished ? "add" : "delete"](`conversation-${number}`);
    sessionStorage.finished = JSON.stringify([...finished]);
    showMarks();
  };
  const showMarks = () => { for (const item of list.children) item.toggleAttribute("data-finished", finished.has(item.id)); };
  on(list, "htmx:after:swap", showMarks);
  mark(open, false);

  const hear = ({ event, data }) => {
    if (event === "ping") return;
    if (event === "all") return lookEverywhere();
    if (posting.size) return waiting.push({ event, data });
    const isHere = data.conversation === open, hasEnded = event === "ended";
    mark(data.conversation, hasEnded && !isHere);
    sidebar.look();
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
})();
