// A growing list never moves the row that someone is on: new rows wait behind a button that says how many.
const MOST = 500;

const reading = (rows) => rows.contains(document.activeElement) || window.scrollY > 240 || document.querySelector("[data-rows] input:checked") !== null;

function release(rows, waiting, bar) {
  const known = new Map([...rows.children].filter((row) => row.id).map((row) => [row.id, row]));
  for (const row of [...waiting.children].reverse()) {
    known.get(row.id)?.remove();
    row.classList.add("new");
    rows.prepend(row);
  }
  while (rows.children.length > MOST) rows.lastElementChild.remove();
  if (bar) bar.hidden = true;
  document.getElementById("nothing")?.remove();
}

export function startWaiting() {
  const settle = () => {
    const waiting = document.getElementById("waiting");
    const rows = document.querySelector("[data-rows]");
    if (!waiting || !rows || waiting.children.length === 0) return;
    const bar = document.getElementById("waiting-bar");
    if (bar && reading(rows)) {
      bar.hidden = false;
      bar.querySelector("button").textContent = `${waiting.children.length} new`;
    } else release(rows, waiting, bar);
  };
  document.addEventListener("htmx:after:swap", settle);
  document.addEventListener("htmx:sse:after:message", settle);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#waiting-bar button")) return;
    release(document.querySelector("[data-rows]"), document.getElementById("waiting"), document.getElementById("waiting-bar"));
    document.querySelector("[data-rows] [data-open]")?.focus();
  });
}
