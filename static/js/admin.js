// Django's pair of boxes for many rows names its search fields by icons that have a name and no role (ARIA forbids that).
// It draws them on load, in a listener that was added before this one.
addEventListener("load", () => {
  for (const icon of document.querySelectorAll(".search-label-icon[aria-label]")) icon.role = "img";
});
