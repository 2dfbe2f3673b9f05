// A playbook's picture is often taller than its frame: bring the step that a run stands at, or that is being edited, into view once.
export function startFlow() {
  for (const holder of document.querySelectorAll(".flow-holder")) {
    const here = holder.querySelector(".at-now:not(.parallel, .choice), .at-waits, .chosen") ?? holder.querySelector(".at-now");
    if (!here) continue;
    const [box, frame] = [here.getBoundingClientRect(), holder.getBoundingClientRect()];
    holder.scrollTop += box.top - frame.top - frame.height / 3;
    holder.scrollLeft += box.left + box.width / 2 - frame.left - frame.width / 2;
  }
}
