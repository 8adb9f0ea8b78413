// The page's own behaviour; the server renders everything. No eval, no inline handlers, no message template.
// Forms and links work without this file. The first-connect retry and the watchdog make up for two gaps of hx-sse 4.0.1.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const on = (type, listener) => document.addEventListener(type, listener);
  const STREAM = "[hx-sse\\:connect]", LIVE = '[data-status="running"],[data-status="queued"]';
  const touch = matchMedia("(pointer: coarse)");
  const composer = form => form?.matches?.("#composer") && $("textarea", form);
  const focusMessage = () => !touch.matches && $("#message")?.focus({ preventScroll: true });

  // One polite status line for assistive technology, and toasts for everyone.
  const say = sentence => { $("#sr").textContent = sentence; };
  const toast = sentence => {
    const element = $("#toast-template").content.firstElementChild.cloneNode(true);
    $("p", element).textContent = sentence;
    $("#toasts").append(element);
    say(sentence);
  };
  on("click", event => event.target.closest("[data-dismiss]")?.closest(".toast, .notice").remove());
  on("animationend", event => event.animationName === "toast-out" && event.target.remove());

  // Enter sends, Shift+Enter breaks the line; never while an input method composes, and touch keyboards keep Enter.
  on("keydown", event => {
    const area = event.target;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !area.matches("textarea[data-send]") || touch.matches) return;
    event.preventDefault();
    if (!area.value.trim() || $(".send").disabled) return;
    if (!$(LIVE)) area.form.requestSubmit();
    else if (!$("#toasts .toast")) toast("An answer is still being written. Wait for it or stop it, then send.");
  });
  // A plain submit (a new chat) must not be sent twice while the next page loads.
  on("submit", event => {
    const form = event.target;
    if (!form.matches("#composer:not([hx-post])")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    keep($("#message"));
    sessionStorage.sent = $("#message").value;
  });

  // Drafts: what is in the composer outlives a reload, another page and a log in, for a week. They are a person's own, go when it is sent,
  // and when that person logs out or another one comes. A new chat has been sent once there is a conversation.
  const WEEK = 6048e5;
  const drafts = () => Object.keys(localStorage).filter(key => key.startsWith("draft:"));
  const draft = key => JSON.parse(localStorage[key] ?? null);
  let keeping; // what was typed since it was last kept
  const keep = area => {
    keeping = clearTimeout(keeping);
    if (!area?.dataset.draft) return;
    const isTemporary = area.form.elements.temporary?.checked;
    if (isTemporary || !area.value.trim()) return delete localStorage[area.dataset.draft];
    try { localStorage[area.dataset.draft] = JSON.stringify({ text: area.value, at: Date.now() }); } catch { /* there is no room */ }
  };
  on("input", event => { if (event.target.id === "message") { clearTimeout(keeping); keeping = setTimeout(keep, 400, event.target); } });
  addEventListener("pagehide", () => keeping && keep($("#message"))); // another tab may have sent what this one only showed
  on("submit", event => {
    if (!(event.submitter?.getAttribute("formaction") ?? event.target.getAttribute("action"))?.endsWith("/logout/")) return;
    keeping = clearTimeout(keeping);
    for (const key of drafts()) delete localStorage[key];
  });
  on("DOMContentLoaded", () => {
    const area = $("#message"), [person, place] = area?.dataset.draft?.match(/^draft:\d+:|[^:]+$/g) ?? [];
    for (const key of drafts()) {
      const isSent = $("#log") && key === `${person}new` && draft(key).text === sessionStorage.sent;
      if (isSent || (person && !key.startsWith(person)) || draft(key).at < Date.now() - WEEK) delete localStorage[key];
    }
    if ($("#log")) delete sessionStorage.sent;
    if (place && !area.value) area.value = draft(area.dataset.draft)?.text ?? "";
  });

  // Saved prompts: `/` at the start of a message offers them. Their module is fetched when it is first needed.
  const offer = area => import(area.dataset.commands).then(module => module.offer(area), () => {});
  on("input", event => event.target.matches("[data-commands]") && /^\/[\w-]*$/.test(event.target.value) && offer(event.target));
  on("click", event => {
    const area = event.target.closest("[data-offers]") && $("#message");
    if (!area || area.value) return; // the link leads to their page
    event.preventDefault();
    area.value = "/";
    area.focus();
    offer(area);
  });
  addEventListener("pageshow", () => { const form = $("#composer"); if (form) delete form.dataset.sent; });
  on("click", event => {
    const button = event.target.closest("[data-fill]");
    if (!button) return;
    event.preventDefault();
    $("#message").value = button.value;
    $("#message").focus();
  });

  // What was typed is cleared only once the server has accepted it, and only if it is still the same.
  on("htmx:before:request", event => {
    const area = composer(event.detail.ctx.sourceElement);
    if (!area) return;
    area.dataset.sent = area.value;
    $("#composer-error").textContent = "";
  });
  on("htmx:before:response", event => {
    const { ctx } = event.detail;
    if (!ctx.response.raw.redirected) return;
    event.preventDefault(); // a log in page, most likely: never swap it into the conversation
    if (ctx.sourceElement.matches(STREAM)) return refused(ctx.sourceElement, 401);
    toast("You are logged out. Log in again in another tab, then try once more: your text is still here.");
  });
  on("htmx:after:request", event => {
    const { sourceElement, response } = event.detail.ctx, area = composer(sourceElement);
    if (!area || response.status >= 300) return;
    if (area.value === area.dataset.sent) area.value = "";
    keep(area);
    area.focus({ preventScroll: true });
    toEnd();
  });
  let isByKey = false; // the last control was pressed by a key
  on("click", event => { isByKey = !event.detail; });
  // Where the path is changed, the view stays with what takes the place of the message, and the focus with the same control.
  const messageOf = element => element.closest?.("#log > article");
  on("htmx:before:request", ({ detail: { ctx } }) => {
    const message = messageOf(ctx.sourceElement);
    if (message) ctx.left = { message, before: message.previousElementSibling, id: document.activeElement.id };
  });
  on("htmx:after:swap", ({ detail: { ctx } }) => {
    const { message, before, id } = ctx.left ?? {};
    if (!ctx.left || ctx.request.method === "GET") return;
    if (!message.isConnected) (before ? before.nextElementSibling : $("#log").firstElementChild)?.scrollIntoView({ block: "nearest", behavior: "instant" });
    if (id && document.activeElement === document.body) document.getElementById(id)?.focus({ preventScroll: true });
  });
  on("click", event => {
    const form = event.target.closest("[data-cancel]")?.closest("#log form");
    if (form) {
      event.preventDefault();
      const message = messageOf(form);
      form.remove();
      $("footer .row > :is(a.change, [popovertarget])", message)?.focus({ preventScroll: true }); // what opened it
    }
    event.target.closest(".menu[popover]:not(#item-menu) :is(a, button)")?.closest(".menu").hidePopover?.();
  });
  on("keydown", event => event.key === "Escape" && event.target.closest?.("#log form")?.querySelector("[data-cancel]").click());
  on("htmx:after:swap", event => event.target.dataset?.opens && $(`#${event.target.dataset.opens}`).showPopover());
  on("htmx:after:swap", event => {
    if (document.activeElement !== document.body || event.target.matches?.("[data-live]")) return;
    if (event.detail.ctx.sourceElement?.id === "earlier") $("#scroller").focus({ preventScroll: true }); // so that its keys go on scrolling
    else if (isByKey && event.detail.ctx.text?.includes('class="notice"')) $("#notice button")?.focus(); // Undo is the next thing to want
    else focusMessage();
  });

  // Copy: the Markdown of an answer from its URL, a code block from the page. http://LAN is no secure context: execCommand there.
  const text = async button => {
    if (!button.href) return $(button.dataset.copy || "code", button.closest("figure, article")).textContent;
    const reply = await fetch(button.href);
    if (!reply.ok) throw new Error(reply.status);
    return reply.text();
  };
  const write = async pending => {
    if (navigator.clipboard && window.ClipboardItem) {
      const blob = pending.then(value => new Blob([value], { type: "text/plain" }));
      return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    }
    const area = document.createElement("textarea");
    area.value = await pending;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) throw new Error("copy");
  };
  on("click", async event => {
    const button = event.target.closest("[data-copy], [data-source]");
    if (!button || event.ctrlKey || event.metaKey) return;
    event.preventDefault(); // without script the link leads to the text
    try { await write(text(button)); } catch { return toast("The browser did not allow copying."); }
    button.dataset.done = "";
    say("Copied");
    setTimeout(() => delete button.dataset.done, 1500);
  });

  // The stream of an answer: what the server says about it becomes the state of its article.
  const connections = new Map(); // stream element -> { connection, seen, tries, timer }
  const ENDINGS = { complete: "Answer finished", stopped: "Answer stopped", failed: "Answer failed", interrupted: "Answer interrupted" };
  const articleOf = event => event.target.matches?.(STREAM) && event.target.closest("article");
  on("status", event => { const article = articleOf(event); if (article) article.dataset.status = event.detail.data; });
  on("done", event => {
    const article = articleOf(event);
    if (!article) return;
    for (const fold of article.querySelectorAll("figure.code > details")) fold.open = true; // nothing that is being read is folded
    article.dataset.status = event.detail.data;
    forget(event.target);
    event.target.remove();
    say(ENDINGS[event.detail.data] ?? "Answer finished");
    if (document.activeElement === document.body) focusMessage();
  });
  on("click", event => event.target.closest(".stop") && focusMessage());

  // Connection: a banner after 1.5 s, patience for the first connect, Reconnect now, a watchdog for half-open connections.
  let banner;
  const lost = () => { banner ??= setTimeout(() => { $("#net").hidden = false; }, 1500); };
  const back = () => { clearTimeout(banner); banner = undefined; $("#net").hidden = true; };
  const forget = element => { clearTimeout(connections.get(element)?.timer); connections.delete(element); back(); };
  const again = element => {
    const state = connections.get(element) ?? { tries: 0 };
    connections.set(element, state);
    lost();
    state.timer = setTimeout(() => element.isConnected ? htmx.trigger(element, "retry") : forget(element), Math.min(30e3, 500 * 2 ** state.tries++));
  };
  const refused = (element, status) => {
    forget(element);
    toast(status === 401 ? "You are logged out. Log in and reload to see the rest of the answer." : `The answer cannot be followed (${status}). Reload the page.`);
  };
  const failed = event => {
    const { ctx } = event.detail, element = ctx?.sourceElement, status = ctx?.response?.status;
    if (element?.matches?.(STREAM)) return status && status < 500 ? refused(element, status) : again(element);
    if (ctx?.text?.includes("<hx-partial")) return; // an error of ours: its sentence is in the page already
    toast(status ? `The server answered with an error (${status}). Nothing you wrote is lost.` : "The server cannot be reached. Nothing you wrote is lost.");
  };
  on("htmx:error", failed);
  on("htmx:response:error", failed);
  on("htmx:sse:after:connection", event => {
    if (!connections.get(event.target)?.connection) say("Answering…");
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
  setInterval(() => {
    for (const { connection, seen } of connections.values()) if (connection?.reader && Date.now() - seen > 45e3) connection.reader.cancel();
  }, 5e3);

  // The theme without losing what is being written.
  on("submit", async event => {
    const form = event.target, theme = event.submitter?.value;
    if (!form.matches(".theme") || !theme) return;
    event.preventDefault();
    const reply = await fetch(form.action, { method: "POST", body: new FormData(form, event.submitter), redirect: "manual" }).catch(() => null);
    if (!reply || (reply.type !== "opaqueredirect" && !reply.ok)) return toast("The theme was not saved.");
    document.documentElement.dataset.theme = theme;
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button === event.submitter));
  });

  // The end of the conversation. Browsers without scroll anchoring (Safari before 27) need the offset kept by hand.
  const toEnd = () => $("#scroller")?.scrollTo({ top: 0, behavior: "instant" });
  on("click", event => event.target.closest("#jump") && toEnd());
  const scroller = $("#scroller"), log = $("#log");
  if (!scroller) return;
  const asked = new URLSearchParams(location.search).get("message"); // a link to a message leads to it, also without its #fragment
  if (asked && !location.hash) document.getElementById(`message-${asked}`)?.scrollIntoView();
  new IntersectionObserver(([entry]) => { $("#jump").hidden = entry.isIntersecting; }, { root: scroller, rootMargin: "0px 0px 80px 0px" }).observe($("#end"));
  if (CSS.supports("overflow-anchor", "auto")) return;
  let height = log.offsetHeight, first = log.firstElementChild;
  new ResizeObserver(() => {
    const grown = first === log.firstElementChild ? log.offsetHeight - height : 0; // what grows above moves nothing
    [height, first] = [log.offsetHeight, log.firstElementChild];
    if (scroller.scrollTop < -1) scroller.scrollTop -= grown;
  }).observe(log);
})();
