// Alt and a letter press what says so in its aria-keyshortcuts. By the place of the key, because Alt makes another letter
// of it on some keyboards.
document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const shortcut = `[aria-keyshortcuts="Alt+${event.code.replace("Key", "")}"]`;
  const target = /** @type {HTMLElement | null} */ (document.querySelector(shortcut));
  if (!target) return;
  event.preventDefault();
  target.click();
});
