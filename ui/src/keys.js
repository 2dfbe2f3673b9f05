// The keyboard: rows, deeds and pages by single keys outside fields; arrows walk the doors of a plan. A person can switch it off.
const GO = { o: "/", n: "/incidents", a: "/approvals", c: "/on-call", h: "/phone", f: "/findings", i: "/timeline", t: "/timeline", p: "/places", s: "/sources", w: "/people", e: "/entities", m: "/account" };

const typing = (target) => target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
const opens = () => [...document.querySelectorAll("main [data-open]")];
const rowOf = (element) => element?.closest?.("[data-row]");

function step(by) {
  const all = opens();
  if (all.length === 0) return;
  const here = all.findIndex((link) => rowOf(link) === rowOf(document.activeElement) && rowOf(link));
  const next = all[Math.min(all.length - 1, Math.max(0, here < 0 ? 0 : here + by))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function walk(key) {
  const here = document.activeElement?.closest?.(".plan a");
  if (!here) return false;
  const centre = (link) => {
    const box = link.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const [x, y] = centre(here);
  const along = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  let best = null;
  for (const link of here.closest("svg").querySelectorAll("a.door")) {
    if (link === here) continue;
    const [dx, dy] = [centre(link)[0] - x, centre(link)[1] - y];
    const ahead = dx * along[0] + dy * along[1];
    const aside = Math.abs(dx * along[1]) + Math.abs(dy * along[0]);
    if (ahead > 1 && (best === null || ahead + 2 * aside < best.cost)) best = { link, cost: ahead + 2 * aside };
  }
  best?.link.focus();
  return best !== null;
}

export function startKeys() {
  if (document.documentElement.dataset.keys === "off") return;
  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      document.activeElement?.blur();
      return;
    }
    if (typing(event.target)) return;
    if (event.key.startsWith("Arrow")) {
      if (walk(event.key)) event.preventDefault();
      return;
    }
    if (going && Date.now() - going < 1500 && GO[event.key]) {
      event.preventDefault();
      location.assign(GO[event.key]);
      return;
    }
    going = 0;
    const row = rowOf(document.activeElement);
    const deeds = {
      j: () => step(1),
      k: () => step(-1),
      g: () => { going = Date.now(); },
      "/": () => document.getElementById("search")?.focus(),
      "?": () => location.assign("/help"),
      x: () => row?.querySelector("input[type=checkbox]")?.click(),
      a: () => (row ?? document).querySelector("[data-key=a]")?.click(),
      n: () => document.querySelector("[data-key=n]")?.focus(),
    };
    const deed = deeds[event.key];
    if (deed) {
      event.preventDefault();
      deed();
    }
  });
}
