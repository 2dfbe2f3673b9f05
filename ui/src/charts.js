// The chart island: loaded only on pages that have a chart. Options come as JSON from the server, colours from the page's variables.
import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, LineChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

// Variables hold light-dark(...): a probe element resolves them to a plain colour.
function colours(names) {
  const probe = document.body.appendChild(document.createElement("span"));
  const found = {};
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

export async function draw(holder) {
  holder.dataset.drawn = "";
  const answer = await fetch(holder.dataset.chart, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const option = await answer.json();
  const chart = init(holder, null, { renderer: "svg" });
  const paint = () => {
    const { text, quiet, line, it, physical, accent } = colours(["text", "quiet", "line", "it", "physical", "accent"]);
    const axis = { axisLabel: { color: quiet }, axisLine: { lineStyle: { color: line } }, splitLine: { lineStyle: { color: line } } };
    const named = { it, physical };
    chart.setOption({
      animation: false,
      textStyle: { color: text, fontFamily: "inherit" },
      color: (option.series ?? []).map((one) => named[one.id] ?? accent),
      ...option,
      tooltip: { ...option.tooltip, renderMode: "richText" },
      legend: option.legend && { ...option.legend, textStyle: { color: text } },
      xAxis: { ...option.xAxis, ...axis },
      yAxis: { ...option.yAxis, ...axis },
    }, true);
  };
  paint();
  new ResizeObserver(() => chart.resize()).observe(holder);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
}
