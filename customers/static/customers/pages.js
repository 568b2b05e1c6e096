// Tells the server the reader's time zone, so that it shows times in it.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  if (zone) document.cookie = `time_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
})();

// An open menu closes when one clicks elsewhere or presses Escape.
/** @returns {NodeListOf<HTMLDetailsElement>} */
const openMenus = () => document.querySelectorAll("details.sf-menu[open]");
document.addEventListener("click", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});

// Where the tabs do not fit, the open one is brought into view.
document.addEventListener("DOMContentLoaded", () => {
  const open = /** @type {HTMLElement | null} */ (document.querySelector(".sf-tabs [aria-current]"));
  const tabs = open?.parentElement;
  if (open && tabs) tabs.scrollLeft = open.offsetLeft - tabs.clientWidth / 2 + open.clientWidth / 2;
});
