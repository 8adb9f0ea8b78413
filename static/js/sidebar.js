// The menus of the sidebar, a name changed in its place, and the selection. Loaded at the first sign of a person there; without it the
// buttons lead to pages.
const $ = (selector, root = document) => root.querySelector(selector);
const nav = $("#sidebar"), list = $("#conversations"), menu = $("#item-menu");

const optionsOf = async address => {
  const reply = await fetch(`${address}?open=${list.dataset.open}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  return reply?.ok && !reply.redirected ? reply.text() : "";
};
const put = (target, swap, text) => htmx.swap({ sourceElement: nav, target, swap, text });

// The menu of one conversation, below the button that opened it.
let address; // of the options that were opened last
export const open = async button => {
  address = button.getAttribute("formaction");
  const text = await optionsOf(address);
  if (!text) return location.assign(address); // logged out, most likely: the page says so
  await put(menu, "innerHTML", text);
  show(button);
};
const show = source => {
  if (!menu.matches(":popover-open")) menu.showPopover({ source });
  begin();
};
const begin = () => !matchMedia("(pointer: coarse)").matches && $("button, input:not([type=hidden])", menu)?.focus(); // no keyboard over it
// What was done empties the menu; a question that follows takes its place, also where it was asked of a selection.
document.addEventListener("htmx:after:swap", () => {
  const isEmpty = !menu.childElementCount, isOpen = menu.matches(":popover-open");
  if (isOpen && isEmpty) {
    menu.hidePopover();
    $(`[form=options][formaction="${address}"]`, list)?.focus(); // the focus went with what had it
  }
  if (isOpen && $(".where", menu) && !menu.contains(document.activeElement)) begin();
  if (!isOpen && !isEmpty && $(".where", menu)) show($("#selection [value=move]"));
});
menu.addEventListener("toggle", event => event.newState === "closed" && menu.replaceChildren());

// The name of a conversation becomes a field where it stands: Enter keeps it, Escape and leaving the field do not.
const rename = async item => {
  if ($(".rename", item)) return;
  const page = document.createElement("template");
  page.innerHTML = await optionsOf($("[form=options]", item).getAttribute("formaction"));
  const form = $(".rename", page.content);
  if (form) await put(item, "beforeend", form.outerHTML);
  $(".rename input[name=title]", item)?.select();
};
const end = (form, isToReturn) => {
  const item = form.closest("li");
  if (form.dataset.ended) return; // it loses the focus when it goes
  form.dataset.ended = "1";
  form.remove();
  if (isToReturn) $("a", item)?.focus();
  document.dispatchEvent(new Event("looked-away"));
};
list.addEventListener("dblclick", event => {
  const link = event.target.closest("a[aria-current]");
  if (!link) return;
  event.preventDefault();
  rename(link.closest("li"));
});
list.addEventListener("click", event => event.target.closest("a[aria-current]") && !event.ctrlKey && !event.metaKey && event.preventDefault());
list.addEventListener("keydown", event => {
  const form = event.target.closest(".rename"), item = event.target.closest("li[id]");
  if (form && event.key === "Escape") { event.stopPropagation(); end(form, true); }
  if (!form && item && event.key === "F2") { event.preventDefault(); rename(item); }
});
list.addEventListener("focusout", event => {
  const form = event.target.closest(".rename");
  if (form && !form.contains(event.relatedTarget) && !form.matches(".htmx-request")) end(form, false);
});

// A selection is over once something was done to it.
const selecting = $("#selecting");
const clear = () => {
  for (const box of list.querySelectorAll(":checked")) box.checked = false;
  $("#selection-error").textContent = "";
};
selecting.addEventListener("change", () => selecting.checked || clear());
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!(ctx.response?.status < 300)) return;
  const form = ctx.sourceElement;
  if (form.matches("#conversations .rename")) end(form, true);
  if (form.matches("#selection, .where") && !$(".where", menu)) { selecting.checked = false; clear(); }
});
