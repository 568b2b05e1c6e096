// Follows the recalculations of a segmentation while one goes on.
(() => {
  const PAUSE = 1500; // ms

  /**
   * One recalculation, as the server tells it.
   * @typedef {{state: string, label: string, at: string, counts: string, is_going_on: boolean,
   *   percent: number | null, error: string, warnings: string[]}} Run
   */

  /**
   * @template {keyof HTMLElementTagNameMap} Name
   * @param {Name} name
   * @param {string} [className]
   * @param {string} [text]
   */
  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  };

  /**
   * @param {Run} run
   * @param {string} label
   */
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

  /** @param {HTMLElement} list */
  const follow = async (list) => {
    const response = await fetch(list.dataset.progress ?? "", { headers: { Accept: "application/json" } });
    if (!response.ok) return;
    /** @type {{recalculations: Run[], is_going_on: boolean}} */
    const { recalculations, is_going_on: isGoingOn } = await response.json();
    if (recalculations.length) list.replaceChildren(...recalculations.map((run) => line(run, list.dataset.label || "")));
    if (isGoingOn) window.setTimeout(() => follow(list).catch(() => {}), PAUSE);
  };

  document.addEventListener("DOMContentLoaded", () => {
    /** @type {NodeListOf<HTMLElement>} */
    const lists = document.querySelectorAll("[data-progress][data-going-on='true']");
    for (const list of lists) {
      window.setTimeout(() => follow(list).catch(() => {}), PAUSE);
    }
  });
})();
