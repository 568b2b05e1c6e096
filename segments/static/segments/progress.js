// Follows the recalculations of a segmentation while one goes on.
(() => {
  const PAUSE = 1500; // ms

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  };

  const line = (run, label) => {
    const item = element("li");
    item.dataset.state = run.state;
    item.append(element("span", "cb-state", run.label), " ", element("span", "sf-soft", run.at), " ", element("span", "", run.counts));
    if (run.is_going_on && run.percent !== null) {
      const bar = element("progress");
      bar.max = 100;
      bar.value = run.percent;
      bar.setAttribute("aria-label", label);
      item.append(bar);
    }
    for (const fault of [run.error, ...run.warnings].filter(Boolean)) item.append(element("span", "cb-fault", fault));
    return item;
  };

  const follow = async (list) => {
    const response = await fetch(list.dataset.progress, { headers: { Accept: "application/json" } });
    if (!response.ok) return;
    const { recalculations, is_going_on: isGoingOn } = await response.json();
    if (recalculations.length) list.replaceChildren(...recalculations.map((run) => line(run, list.dataset.label || "")));
    if (isGoingOn) window.setTimeout(() => follow(list).catch(() => {}), PAUSE);
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const list of document.querySelectorAll("[data-progress][data-going-on='true']")) {
      window.setTimeout(() => follow(list).catch(() => {}), PAUSE);
    }
  });
})();
