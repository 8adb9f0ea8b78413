// The composer and the log; the server renders everything. No eval, no inline handlers, no message template. Forms and links work without
// this file. What is seldom needed is loaded when it is.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const on = (type, listener) => document.addEventListener(type, listener);
  const LIVE = '[data-status="running"],[data-status="queued"]';
  const touch = matchMedia("(pointer: coarse)"), modules = document.currentScript.dataset;
  const composer = form => form?.matches?.("#composer") && $("textarea", form);
  const focusMessage = () => !touch.matches && $("#message")?.focus({ preventScroll: true });
  const isFocusLost = () => document.activeElement === document.body;
  const isLost = () => document.documentElement.dataset.session; // nobody is logged in any more

  // One polite status line for assistive technology, and toasts for everyone.
  const say = sentence => { $("#sr").textContent = sentence; };
  const toast = sentence => {
    const element = $("#toast-template").content.firstElementChild.cloneNode(true);
    $("p", element).textContent = sentence;
    $("#toasts").append(element);
    say(sentence);
  };
  on("say", event => say(event.detail));
  on("toast", event => toast(event.detail));
  on("session-lost", () => isLost() || say("You are logged out. What you write stays here."));
  on("click", event => event.target.closest("[data-dismiss]")?.closest(".toast, .notice").remove());
  on("animationend", event => event.animationName === "toast-out" && event.target.remove());

  // Enter sends, Shift+Enter breaks the line; never while an input method composes, and touch keyboards keep Enter.
  on("keydown", event => {
    const area = event.target;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !area.matches("textarea[data-send]") || touch.matches) return;
    event.preventDefault();
    if (!area.value.trim() || $(".send")?.disabled) return;
    if (!$(LIVE) || isLost()) area.form.requestSubmit();
    else if (!$("#toasts .toast")) toast("An answer is still being written. Wait for it or stop it, then send.");
  });
  // A plain submit (a new chat) must not be sent twice while the next page loads.
  on("submit", event => {
    const form = event.target;
    if (!form.matches("#composer:not([hx-post])")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
  addEventListener("pageshow", () => { const form = $("#composer"); if (form) delete form.dataset.sent; });
  on("click", event => {
    const button = event.target.closest("[data-fill]");
    if (!button) return;
    event.preventDefault();
    $("#message").value = button.value;
    $("#message").focus();
  });

  // Drafts are looked after once there is one; `/` at the start of a message offers saved prompts.
  const keepDrafts = () => import(modules.drafts);
  const offer = area => import(area.dataset.commands).then(module => module.offer(area), () => {});
  if (sessionStorage.sent || Object.keys(localStorage).some(key => key.startsWith("draft:"))) keepDrafts();
  addEventListener("storage", event => event.key?.startsWith("draft:") && keepDrafts()); // written in another tab, and to go with a log out
  on("input", event => event.target.id === "message" && keepDrafts());
  on("input", event => event.target.matches("[data-commands]") && /^\/[\w-]*$/.test(event.target.value) && offer(event.target));
  on("click", event => {
    const area = event.target.closest("[data-offers]") && $("#message");
    if (!area || area.value) return; // the link leads to their page
    event.preventDefault();
    area.value = "/";
    area.focus();
    offer(area);
  });

  on("submit", event => {
    const { target: form, submitter } = event;
    if (!form.matches(".theme") || !submitter?.value) return;
    event.preventDefault();
    import(modules.theme).then(module => module.choose(form, submitter)).catch(() => toast("The theme was not saved."));
  });

  // Without script a copy button leads to the text. The module comes with the pointer: a browser lets copy who was just clicked.
  let copying;
  const COPY = "[data-copy], [data-source]";
  for (const type of ["pointerover", "focusin"]) {
    on(type, event => event.target.closest?.(COPY) && import(modules.copy).then(module => { copying = module; }, () => {}));
  }
  on("click", async event => {
    const button = event.target.closest(COPY);
    if (!button || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    try { await (copying ?? await import(modules.copy)).copy(button); } catch { return toast("The browser did not allow copying."); }
    say("Copied");
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
    if (!ctx.response.raw.redirected || event.defaultPrevented || ctx.sourceElement.matches("[hx-sse\\:connect]")) return;
    event.preventDefault(); // a log-in page, most likely: never swap it into the conversation
    document.dispatchEvent(new Event("session-lost"));
  });
  on("htmx:after:request", event => {
    const { sourceElement, response } = event.detail.ctx, area = composer(sourceElement);
    if (!area || response.status >= 300) return;
    if (area.value === area.dataset.sent) area.value = "";
    area.focus({ preventScroll: true });
    toEnd();
  });
  const failed = ({ detail: { ctx } }) => {
    const status = ctx?.response?.status;
    if (ctx?.sourceElement?.matches?.("[hx-sse\\:connect]")) return;
    if (status === 401) document.dispatchEvent(new Event("session-lost"));
    if (ctx?.text?.includes("<hx-partial")) return; // an error of ours: its sentence is in the page already
    toast(status ? `The server answered with an error (${status}). Nothing you wrote is lost.` : "The server cannot be reached. Nothing you wrote is lost.");
  };
  on("htmx:error", failed);
  on("htmx:response:error", failed);

  // Who has logged in anew has a new token: the refusal puts it into every form, and what was pressed is pressed once more, once.
  const renewed = new WeakSet();
  on("htmx:finally:request", ({ detail: { ctx } }) => {
    const { sourceElement: element, sourceEvent, response } = ctx, isOld = response?.status === 403 && ctx.text?.includes("csrfmiddlewaretoken");
    if (!isOld || renewed.has(element)) return renewed.delete(element);
    renewed.add(element);
    setTimeout(() => {
      for (const told of document.querySelectorAll("#composer-error")) told.textContent = "";
      if (element.matches("form")) element.requestSubmit(sourceEvent?.submitter);
      else element.click();
    });
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
    if (id && isFocusLost()) document.getElementById(id)?.focus({ preventScroll: true });
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
    if (event.target.closest(".stop")) focusMessage();
  });
  on("keydown", event => event.key === "Escape" && event.target.closest?.("#log form")?.querySelector("[data-cancel]").click());
  on("htmx:after:swap", event => event.target.dataset?.opens && $(`#${event.target.dataset.opens}`).showPopover());
  on("htmx:after:swap", event => {
    if (!isFocusLost() || event.target.matches?.("[data-live]")) return;
    if (event.detail.ctx.sourceElement?.id === "earlier") $("#scroller").focus({ preventScroll: true }); // so that its keys go on scrolling
    else if (isByKey && event.detail.ctx.text?.includes('class="notice"')) $("#notice button")?.focus(); // Undo is the next thing to want
    else focusMessage();
  });
  on("done", () => isFocusLost() && focusMessage());

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
