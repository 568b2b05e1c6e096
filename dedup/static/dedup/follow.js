// @ts-check
// Follows a personal link: not before somebody sees the page, which a browser may load ahead of time.
(() => {
  const follow = () => {
    if (document.visibilityState === "visible") {
      document.removeEventListener("visibilitychange", follow);
      document.forms[0].submit();
    }
  };
  document.addEventListener("visibilitychange", follow);
  follow();
})();
