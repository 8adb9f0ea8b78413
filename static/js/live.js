// Keeps this page in step with what the same person does elsewhere. A socket tells where to look, in numbers; news.js looks. Losing it
// costs nothing but that, so nothing is said about it, unless nobody is logged in any more. Everything works without this file.
(() => {
  const $ = selector => document.querySelector(selector);
  const on = (target, type, listener) => target.addEventListener(type, listener);
  const list = $("#conversations");
  if (!list) return;
  const open = Number(list.dataset.open), root = document.documentElement, modules = document.currentScript.dataset;
  const HIDDEN = 60e3, SILENT = 45e3, PROVEN = 10e3, LONGEST = 60e3; // milliseconds; the server pings every 15 s

  // What this page begins itself is shown by the answer to its own request, so what is told meanwhile waits for that.
  const posting = new Set(), waiting = [], isIdle = () => !posting.size;
  const look = async how => how(await import(modules.news));
  const lookEverywhere = () => look(news => { news.lookAtSidebar(); news.lookAtTurns(isIdle); });
  const lookAgain = () => look(news => news.lookAgain());
  on(document, "htmx:before:request", ({ detail: { ctx } }) => ctx.sourceElement.matches?.("[hx-post]") && posting.add(ctx));
  on(document, "htmx:finally:request", ({ detail: { ctx } }) => {
    if (!posting.delete(ctx) || posting.size) return;
    waiting.splice(0).forEach(hear);
    if (ctx.sourceElement.closest("#sidebar, #notice") && ctx.response?.status < 300) lookEverywhere();
    else lookAgain();
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

  const ANYWHERE = ["restored", "moved", "imported"];
  const hear = ({ event, data }) => {
    if (event === "ping") return;
    if (event === "all") return lookEverywhere();
    if (posting.size) return waiting.push({ event, data });
    const isHere = data.conversation === open, hasEnded = event === "ended";
    mark(data.conversation, hasEnded && !isHere);
    look(news => news.lookAtSidebar(page => ANYWHERE.includes(event) || page.querySelector(`#conversation-${data.conversation}`)));
    document.dispatchEvent(new CustomEvent("told", { detail: data.conversation }));
    if (isHere && !hasEnded && !(data.answer && $(`#message-${data.answer}`))) look(news => news.lookAtTurns(isIdle));
  };

  // The socket. `since` is when the page was made: what changed until the socket was there is told first. Later, the page looks itself.
  let socket, timer, closing, begun = 0, seen = 0, tries = 0, since = list.dataset.since;
  const connect = () => {
    clearTimeout(timer);
    if (socket || document.hidden) return;
    const mine = socket = new WebSocket(`${location.origin.replace("http", "ws")}/changes?since=${since}`);
    let isWelcome = false; // something was told: somebody is logged in
    begun = seen = Date.now();
    on(mine, "message", message => {
      seen = Date.now();
      if (!isWelcome) welcome();
      isWelcome = true;
      hear(JSON.parse(message.data));
    });
    on(mine, "close", ({ code }) => {
      if (mine !== socket) return;
      lose(code !== 4401);
      if (code !== 4401) return;
      document.dispatchEvent(new Event("session-lost"));
      if (isWelcome) connect(); // perhaps somebody has logged in again already
    });
  };
  const welcome = async () => {
    if (!since) lookEverywhere();
    since = "";
    if (!root.dataset.session) return;
    await (await import(modules.session)).renew();
    delete root.dataset.session;
    document.dispatchEvent(new Event("session-back"));
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
  for (const type of ["online", "focus"]) on(window, type, connect);
  on(document, "session-lost", () => { root.dataset.session = "lost"; lose(false); });
  on(document, "htmx:after:request", ({ detail: { ctx } }) => root.dataset.session && ctx.response.status < 300 && connect());
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
