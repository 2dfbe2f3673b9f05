// The pages' script: htmx with its live stream, the connection's state, rows that wait, and the keyboard. Everything else is the server's.
import htmx from "htmx.org";
import "htmx.org/dist/ext/hx-sse.js";
import { startFlow } from "./flow.js";
import { startKeys } from "./keys.js";
import { startPrintLog } from "./print.js";
import { startStream } from "./stream.js";
import { startWaiting } from "./waiting.js";

window.htmx = htmx;
startStream();
startWaiting();
startKeys();
startPrintLog();
startFlow();

// A select or checkbox that says so sends its form at once; without script the form's button does.
document.addEventListener("change", (event) => {
  if (event.target.closest("[data-send]")) event.target.form?.requestSubmit();
});

const drawCharts = async () => {
  const holders = document.querySelectorAll("[data-chart]:not([data-drawn])");
  if (holders.length === 0) return;
  const { draw } = await import("./charts.js");
  for (const holder of holders) draw(holder);
};
document.addEventListener("htmx:after:swap", drawCharts);
drawCharts();
