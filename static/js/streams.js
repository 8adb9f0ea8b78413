// The streams of answers: what the server says about one becomes the state of its article, and a lost connection is said and mended.
// It is loaded before htmx, which opens streams as soon as it is there: a short answer may have ended before the next script has come.
// The first-connect retry and the watchdog make up for two gaps of hx-sse 4.0.1.
(() => {
  const $ = selector => document.querySelector(selector);
  const on = (type, listener) => document.addEventListener(type, listener);
  const tell = (type, sentence) => document.dispatchEvent(new CustomEvent(type, { detail: sentence }));
  const STREAM = "[hx-sse\\:connect]";
  const BANNER = 1500, LONGEST = 30e3, SILENT = 45e3; // milliseconds; the server pings every 15 s
  const ENDINGS = { complete: "Answer finished", stopped: "Answer stopped", failed: "Answer failed", interrupted: "Answer interrupted" };
  const connections = new Map(); // stream element -> { connection, seen, tries, timer }

  const articleOf = event => event.target.matches?.(STREAM) && event.target.closest("article");
  on("status", event => { const article = articleOf(event); if (article) article.dataset.status = event.detail.data; });
  on("done", event => {
    const article = articleOf(event);
    if (!article) return;
    for (const fold of article.querySelectorAll("figure.code > details")) fold.open = true; // nothing that is being read is folded
    article.dataset.status = event.detail.data;
    forget(event.target);
    event.target.remove();
    tell("say", ENDINGS[event.detail.data] ?? "Answer finished");
  });
  on("question", event => articleOf(event) && tell("say", event.detail.data));

  // A banner when the connection has been lost for a moment, patience for the first connect, Reconnect now.
  let banner;
  const lost = () => { banner ??= setTimeout(() => { $("#net").hidden = false; }, BANNER); };
  const back = () => { clearTimeout(banner); banner = undefined; $("#net").hidden = true; };
  const forget = element => { clearTimeout(connections.get(element)?.timer); connections.delete(element); back(); };
  const open = element => element.isConnected ? htmx.trigger(element, "retry") : forget(element);
  const again = element => {
    const state = connections.get(element) ?? { tries: 0 };
    connections.set(element, state);
    lost();
    state.timer = setTimeout(open, Math.min(LONGEST, 500 * 2 ** state.tries++), element);
  };
  const refused = (element, status) => {
    forget(element);
    if (status === 401) document.dispatchEvent(new Event("session-lost"));
    else tell("toast", `The answer cannot be followed (${status}). Reload the page.`);
  };
  on("htmx:before:response", event => {
    const { ctx } = event.detail;
    if (!ctx.response.raw.redirected || !ctx.sourceElement.matches(STREAM)) return;
    event.preventDefault(); // a log-in page, most likely
    refused(ctx.sourceElement, 401);
  });
  const failed = ({ detail: { ctx } }) => {
    const element = ctx?.sourceElement, status = ctx?.response?.status;
    if (!element?.matches?.(STREAM)) return;
    if (status && status < 500) refused(element, status);
    else again(element);
  };
  on("htmx:error", failed);
  on("htmx:response:error", failed);
  on("htmx:sse:after:connection", event => {
    if (!connections.get(event.target)?.connection) tell("say", "Answering…");
    connections.set(event.target, { connection: event.detail.connection, seen: Date.now(), tries: 0 });
    back();
  });
  on("htmx:sse:before:message", event => { const state = connections.get(event.target); if (state) state.seen = Date.now(); });
  on("htmx:sse:error", event => {
    const { status, connection } = event.detail;
    if (!(status >= 400 && status < 500)) return lost();
    connection.config.reconnect = false;
    refused(event.target, status);
  });
  on("htmx:sse:close", event => forget(event.target));
  const now = () => {
    for (const [element, state] of connections) {
      if (state.connection) state.connection.delayCanceller?.();
      else { clearTimeout(state.timer); htmx.trigger(element, "retry"); }
    }
  };
  on("click", event => event.target.closest("[data-reconnect]") && now());
  addEventListener("online", now);
  on("session-lost", () => {
    for (const [element, { connection }] of connections) {
      if (connection) connection.config.reconnect = false;
      if (connection?.reader) connection.reader.cancel();
      forget(element);
    }
  });
  on("session-back", () => { for (const element of document.querySelectorAll(STREAM)) if (!connections.has(element)) open(element); });
  setInterval(() => {
    for (const { connection, seen } of connections.values()) if (connection?.reader && Date.now() - seen > SILENT) connection.reader.cancel();
  }, 5e3);
})();
