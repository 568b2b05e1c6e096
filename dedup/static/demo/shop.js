"use strict";

(function () {
  var told = document.getElementById("told");

  document.getElementById("basket").addEventListener("click", function () {
    window.tracker.track("basket", { shelf: new URLSearchParams(window.location.search).get("shelf") || "all" });
    told.textContent = "In the basket.";
  });

  document.getElementById("who").addEventListener("submit", function (event) {
    event.preventDefault();
    window.tracker.identify({ email: event.target.email.value });
    told.textContent = "The shop knows you now.";
  });
})();
