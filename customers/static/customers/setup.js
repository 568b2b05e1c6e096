// Copies what a field holds; where the browser does not allow it, the field is selected to be copied by hand.
document.addEventListener("click", async (event) => {
  const clicked = /** @type {Element} */ (event.target);
  const button = /** @type {HTMLElement | null} */ (clicked.closest("[data-copies]"));
  if (!button) return;
  const field = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.copies ?? ""));
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset.done ?? null;
  } catch {
    field.focus();
  }
});
