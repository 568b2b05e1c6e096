/* Selfsame's tracker: sends what visitors do on your pages to your identity service.

   <script src="https://id.example/static/tracker.js" data-key="ssp_…" defer></script>

   data-endpoint  where to send events; by default /track/ on the server this file came from
   data-domain    the domain of the cookie, such as shop.example, to share it with your other hosts
   data-manual    do not send the first page view automatically

   tracker.page(properties)          a page view; the first one is sent automatically
   tracker.track(kind, properties)   any other action
   tracker.identify(record)          who the visitor is: {email, mobile_phone, discount_card, personal, time_zone, ids}
   tracker.optOut(), tracker.optIn() the visitor's choice
*/
/**
 * @typedef {{kind: string, properties?: object, record?: object, uuid?: string, occurred_at?: string, url?: string,
 *   title?: string}} TrackedEvent
 * @typedef {object} Tracker
 * @property {(properties?: object) => void} page
 * @property {(kind: string, properties?: object) => void} track
 * @property {(record: object) => void} identify
 * @property {() => void} optOut
 * @property {() => void} optIn
 */
(/**
 * @param {Window & {doNotTrack?: string, tracker?: Tracker}} window
 * @param {Document} document
 * @param {Navigator & {globalPrivacyControl?: boolean}} navigator
 */
function (window, document, navigator) {
  "use strict";
  var script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  /** @type {DOMStringMap} */
  var options = (script && script.dataset) || {};
  var endpoint = options.endpoint || (script ? new URL("/track/", script.src).href : "/track/");
  var COOKIE = "selfsame_device";
  var OPT_OUT = "selfsame_opt_out";
  var QUEUE = "selfsame_events";
  var VISIT = "selfsame_visit";
  var YEAR = 31536000;
  var BATCH = 20;
  var KEPT = 500; // most events that wait for a connection
  var WAIT = 1000; // milliseconds in which events gather
  /** @type {TrackedEvent[]} */
  var memory = []; // the queue where the browser gives no storage
  var timer = 0;
  /** @type {string | null} */
  var visit = null;

  // --- The visitor's choice, and the device

  /** @param {string} name */
  function cookie(name) {
    var found = document.cookie.match("(?:^|; )" + name + "=([^;]*)");
    return found && found[1];
  }

  /**
   * @param {string} name
   * @param {string} value
   * @param {number} age
   */
  function setCookie(name, value, age) {
    document.cookie =
      name + "=" + value + "; path=/; max-age=" + age + "; SameSite=Lax" +
      (options.domain ? "; domain=" + options.domain : "") +
      (window.location.protocol === "https:" ? "; Secure" : "");
  }

  function mayTrack() {
    return !(
      cookie(OPT_OUT) ||
      navigator.globalPrivacyControl ||
      navigator.doNotTrack === "1" ||
      window.doNotTrack === "1"
    );
  }

  function uuid() {
    var bytes = window.crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    var hex = Array.prototype.map.call(bytes, function (byte) {
      return (byte + 256).toString(16).slice(1);
    }).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  function device() {
    var known = cookie(COOKIE) || uuid();
    setCookie(COOKIE, known, YEAR); // a year from the last visit
    return known;
  }

  // --- The queue, shared by the tabs of the site

  /** @returns {TrackedEvent[]} */
  function queued() {
    try {
      return JSON.parse(/** @type {string} */ (window.localStorage.getItem(QUEUE))) || [];
    } catch (_) {
      return memory;
    }
  }

  /** @param {TrackedEvent[]} events */
  function keep(events) {
    memory = events.slice(-KEPT);
    try {
      window.localStorage.setItem(QUEUE, JSON.stringify(memory));
      memory = [];
    } catch (_) {
      // it stays in memory
    }
  }

  // --- Sending

  function flush() {
    window.clearTimeout(timer);
    timer = 0;
    if (!mayTrack() || navigator.onLine === false) return;
    var events = queued();
    keep([]);
    do {
      send(events.splice(0, BATCH));
    } while (events.length);
  }

  // A beacon reports no result. What the browser does not take as a beacon is sent as a request, and queued again if
  // that fails. Events may arrive twice; the server recognises them by their UUIDs.
  /**
   * @param {TrackedEvent[]} events
   * @returns {void}
   */
  function send(events) {
    if (!events.length && !visit) return;
    /** @type {{device_id: string, sent_at: string, events: TrackedEvent[], visit?: string}} */
    var body = { device_id: device(), sent_at: new Date().toISOString(), events: events };
    if (visit) body.visit = visit;
    visit = null;
    var text = JSON.stringify(body);
    var url = endpoint + "?key=" + encodeURIComponent(options.key || "");
    if (navigator.sendBeacon && navigator.sendBeacon(url, text)) return;
    if (events.length > 1) {
      // too much for one beacon
      var half = events.length >> 1;
      visit = body.visit || null;
      send(events.slice(0, half));
      return send(events.slice(half));
    }
    window
      .fetch(url, { method: "POST", body: text, keepalive: true, credentials: "omit" })
      .then(function (answer) {
        if (answer.status === 429 || answer.status >= 500) throw answer;
      })
      .catch(function () {
        keep(events.concat(queued()));
      });
  }

  /** @param {TrackedEvent} event */
  function add(event) {
    if (!mayTrack()) return;
    event.uuid = uuid();
    event.occurred_at = new Date().toISOString();
    event.url = window.location.href.slice(0, 2000);
    event.title = document.title.slice(0, 500);
    keep(queued().concat([event]));
    timer = timer || window.setTimeout(flush, WAIT);
  }

  // A personal link puts a token into the address. It is taken out, so that no other script sees it.
  function takeVisit() {
    var here = new URL(window.location.href);
    visit = here.searchParams.get(VISIT);
    if (!visit) return;
    here.searchParams.delete(VISIT);
    window.history.replaceState(window.history.state, "", here.href);
  }

  /** @type {Tracker} */
  var tracker = {
    page: function (properties) {
      add({ kind: "page_view", properties: properties || {} });
    },
    track: function (kind, properties) {
      add({ kind: kind, properties: properties || {} });
    },
    identify: function (record) {
      add({ kind: "identify", record: record });
    },
    optOut: function () {
      setCookie(OPT_OUT, "1", YEAR);
      setCookie(COOKIE, "", 0);
      keep([]);
    },
    optIn: function () {
      setCookie(OPT_OUT, "", 0);
    },
  };
  window.tracker = tracker;

  takeVisit();
  if (!("manual" in options)) tracker.page();
  if (visit || queued().length) timer = timer || window.setTimeout(flush, WAIT);
  window.addEventListener("online", flush);
  window.addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "hidden") flush();
  });
})(window, document, navigator);
