"use strict";

(function () {
  /**
   * What the tracker gives to the page.
   * @type {{track: (kind: string, properties: object) => void, identify: (record: object) => void}}
   */
  var tracker = /** @type {any} */ (window).tracker;

  /** @param {string} id */
  function part(id) {
    return /** @type {HTMLElement} */ (document.getElementById(id));
  }

  part("basket").addEventListener("click", function () {
    tracker.track("basket", { shelf: new URLSearchParams(window.location.search).get("shelf") || "all" });
    part("told").textContent = "In the basket.";
  });

  part("who").addEventListener("submit", function (event) {
    event.preventDefault();
    var form = /** @type {HTMLFormElement} */ (event.target);
    tracker.identify({ email: form.email.value });
    part("told").textContent = "The shop knows you now.";
  });
})();
