// Follows a running import; says at once which columns are not imported, and when a file is too large.
(() => {
  const PAUSE = 1500; // ms
  const FOLLOWED = ["staging", "running"];

  /**
   * The progress of an import, as the server sends it.
   * @typedef {{state: string, percent: number | null, sentence: string, pace: string,
   *   counts: [label: string, number: string, name: string][]}} Progress
   */

  /**
   * What the page is sure to have.
   * @template {HTMLElement} Part
   * @param {Element} place
   * @param {string} selector
   */
  const the = (place, selector) => /** @type {Part} */ (place.querySelector(selector));

  /** @param {[label: string, number: string, name: string]} counted */
  const count = ([label, number, outcome]) => {
    const [item, name, value] = ["li", "span", "span"].map((tag) => document.createElement(tag));
    [name.className, value.className] = ["decision-quiet", "decision-strong"];
    [name.textContent, value.textContent] = [label, number];
    item.dataset.count = outcome;
    item.append(name, " ", value);
    return item;
  };

  /**
   * @param {HTMLElement} section
   * @param {Progress} found
   */
  const show = (section, found) => {
    /** @param {string} name */
    const part = (name) => the(section, `[data-${name}]`);
    /** @type {HTMLProgressElement} */
    const bar = the(section, "progress");
    if (found.percent === null) bar.removeAttribute("value");
    else bar.value = found.percent;
    part("sentence").textContent = found.sentence;
    part("pace").textContent = found.pace;
    part("counts").replaceChildren(...found.counts.map(count));
    // Read out at every tenth of the way, not twice a second.
    const tenth = String(Math.floor((found.percent || 0) / 10));
    if (part("spoken").dataset.tenth !== tenth) part("spoken").textContent = found.sentence;
    part("spoken").dataset.tenth = tenth;
  };

  /**
   * @param {HTMLElement} section
   * @returns {Promise<unknown>}
   */
  const follow = async (section) => {
    try {
      const response = await fetch(section.dataset.progress ?? "", { headers: { Accept: "application/json" } });
      if (response.ok) {
        /** @type {Progress} */
        const found = await response.json();
        if (found.state !== section.dataset.state) return location.reload();
        show(section, found);
      }
    } catch {
      // The server is away for a moment: asked again below.
    }
    return window.setTimeout(follow, PAUSE, section);
  };

  /** @param {Element} form */
  const nameUnmapped = (form) => {
    /** @type {NodeListOf<HTMLSelectElement>} */
    const selects = form.querySelectorAll("select[data-column]");
    const left = [...selects].filter((select) => !select.value);
    the(form, "[data-unmapped]").textContent = left.map((select) => select.dataset.column).join(", ");
    the(form, "#unmapped").hidden = !left.length;
    the(form, "#all-mapped").hidden = left.length > 0;
  };

  /** @type {NodeListOf<HTMLElement>} */
  const sections = document.querySelectorAll("[data-progress]");
  for (const section of sections) {
    if (FOLLOWED.includes(section.dataset.state ?? "")) window.setTimeout(follow, PAUSE, section);
  }

  const map = document.querySelector(".import-map");
  if (map) {
    map.addEventListener("change", () => nameUnmapped(map));
    nameUnmapped(map);
  }

  const upload = /** @type {HTMLFormElement | null} */ (document.querySelector(".import-form"));
  const input = /** @type {HTMLInputElement | null | undefined} */ (upload?.querySelector("input[type=file]"));
  if (upload && input) {
    // The admin's own script would write the file's name into a text field that it expects beside its own file inputs.
    Object.assign(input, { hasChangeListener: true });
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      const isTooLarge = file && file.size > Number(input.dataset.most);
      input.setCustomValidity((isTooLarge && upload.dataset.tooLarge) || "");
      input.reportValidity();
    });
    upload.addEventListener("submit", (event) => {
      const button = the(upload, "button[type=submit]");
      if (button.getAttribute("aria-disabled")) event.preventDefault();
      button.setAttribute("aria-disabled", "true");
      button.textContent = upload.dataset.busy ?? null;
    });
  }
})();
