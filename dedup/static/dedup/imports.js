// Follows an import that is at work; tells at once which columns are left out, and when a file is too large.
(() => {
  const PAUSE = 1500; // ms
  const FOLLOWED = ["staging", "running"];

  const count = ([label, number]) => {
    const [item, name, value] = ["li", "span", "span"].map((tag) => document.createElement(tag));
    [name.className, value.className] = ["decision-quiet", "decision-strong"];
    [name.textContent, value.textContent] = [label, number];
    item.append(name, " ", value);
    return item;
  };

  const show = (section, found) => {
    const part = (name) => section.querySelector(`[data-${name}]`);
    const bar = section.querySelector("progress");
    if (found.percent === null) bar.removeAttribute("value");
    else bar.value = found.percent;
    part("told").textContent = found.told;
    part("pace").textContent = found.pace;
    part("counts").replaceChildren(...found.counts.map(count));
    // Read out at every tenth of the way, not twice a second.
    const tenth = String(Math.floor((found.percent || 0) / 10));
    if (part("spoken").dataset.tenth !== tenth) part("spoken").textContent = found.told;
    part("spoken").dataset.tenth = tenth;
  };

  const follow = async (section) => {
    try {
      const response = await fetch(section.dataset.progress, { headers: { Accept: "application/json" } });
      if (response.ok) {
        const found = await response.json();
        if (found.state !== section.dataset.state) return location.reload();
        show(section, found);
      }
    } catch {
      // The server is away for a moment: asked again below.
    }
    return window.setTimeout(follow, PAUSE, section);
  };

  const nameUnmapped = (form) => {
    const left = [...form.querySelectorAll("select[data-column]")].filter((select) => !select.value);
    form.querySelector("[data-unmapped]").textContent = left.map((select) => select.dataset.column).join(", ");
    form.querySelector("#unmapped").hidden = !left.length;
    form.querySelector("#all-mapped").hidden = left.length > 0;
  };

  for (const section of document.querySelectorAll("[data-progress]")) {
    if (FOLLOWED.includes(section.dataset.state)) window.setTimeout(follow, PAUSE, section);
  }

  const map = document.querySelector(".import-map");
  if (map) {
    map.addEventListener("change", () => nameUnmapped(map));
    nameUnmapped(map);
  }

  const upload = document.querySelector(".import-form");
  const input = upload && upload.querySelector("input[type=file]");
  if (input) {
    // The admin's own script would write the file's name into a text field that it expects beside its own file inputs.
    input.hasChangeListener = true;
    input.addEventListener("change", () => {
      const isTooLarge = input.files.length && input.files[0].size > Number(input.dataset.most);
      input.setCustomValidity(isTooLarge ? upload.dataset.tooLarge : "");
      input.reportValidity();
    });
    upload.addEventListener("submit", (event) => {
      const button = upload.querySelector("button[type=submit]");
      if (button.getAttribute("aria-disabled")) event.preventDefault();
      button.setAttribute("aria-disabled", "true");
      button.textContent = upload.dataset.busy;
    });
  }
})();
