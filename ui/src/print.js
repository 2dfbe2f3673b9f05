// Printing a page that shows people's trails is a reading of its own: it is said to the server, which logs it.
export const startPrintLog = () => {
  addEventListener("beforeprint", () => {
    const said = new URLSearchParams([["page", location.pathname + location.search]]);
    for (const mark of document.querySelectorAll("[data-print] [data-person]")) said.append("person", mark.dataset.person);
    if (said.has("person")) fetch("/trail/print", { method: "POST", body: said, keepalive: true });
  });
};
