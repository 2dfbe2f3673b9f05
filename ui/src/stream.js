// The one stream of a page: says whether it is live, notices silence, goes to the log-in page when the session has ended.
import htmx from "htmx.org";

const SILENT_AFTER = 30_000;

const clock = () => new Date().toTimeString().slice(0, 5);

export function startStream() {
  const stream = document.getElementById("stream");
  const state = document.getElementById("live");
  if (!stream) return;
  let heard = Date.now();
  let lostSince = "";
  const build = document.documentElement.dataset.build;

  const show = (name, words) => {
    if (state && state.dataset.state !== name) {
      state.dataset.state = name;
      state.textContent = words;
    }
    document.documentElement.dataset.live = name;
    const banner = document.getElementById("stale");
    if (banner) banner.hidden = name === "live";
  };
  const live = () => {
    heard = Date.now();
    lostSince = "";
    show("live", "Live");
  };
  const lost = () => {
    lostSince ||= clock();
    show("lost", `Reconnecting since ${lostSince}`);
  };

  document.addEventListener("htmx:sse:after:connection", live);
  document.addEventListener("htmx:sse:after:message", live);
  document.addEventListener("htmx:sse:close", lost);
  document.addEventListener("htmx:sse:error", (event) => {
    if (event.detail?.status === 401) location.assign(`/log-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    else lost();
  });
  document.addEventListener("htmx:response:error", (event) => {
    if (event.target === stream) lost();
  });
  // A list that someone points at, stands in or has typed into is left alone; it is drawn anew when they leave it.
  const typedIn = (held) => [...held.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);
  const holds = (held) => held.matches(held.dataset.hold === "focus" ? ":focus-within" : ":hover, :focus-within") || typedIn(held);
  document.addEventListener("htmx:sse:before:message", (event) => {
    const data = event.detail?.message?.data ?? "";
    for (const held of document.querySelectorAll("[data-hold]")) {
      if (!data.includes(`hx-target="#${held.id}"`) || !holds(held)) continue;
      event.detail.cancelled = true;
      held.dataset.behind = "";
    }
  });
  const catchUp = (event) => {
    const held = event.target.closest?.("[data-hold][data-behind]");
    if (!held || held.contains(event.relatedTarget) || typedIn(held)) return;
    delete held.dataset.behind;
    htmx.ajax("GET", location.href, { target: `#${held.id}`, select: `#${held.id}`, swap: "outerMorph" });
  };
  document.addEventListener("mouseout", catchUp);
  document.addEventListener("focusout", catchUp);
  stream.addEventListener("reset", () => location.reload());
  stream.addEventListener("beat", (event) => {
    live();
    const [, told] = String(event.detail?.data ?? "").split(" ");
    if (stream.hasAttribute("data-reload") && told && build && told !== build) location.reload();
  });
  setInterval(() => {
    if (!document.hidden && Date.now() - heard > SILENT_AFTER && !lostSince) show("stale", "Stale");
  }, 5_000);
}
