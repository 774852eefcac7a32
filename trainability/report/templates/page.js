"use strict";
document.documentElement.classList.add("js");

function make(tag, text, attributes = {}) {
  const element = Object.assign(document.createElement(tag), attributes);
  element.textContent = text;
  return element;
}

// Switches keep their state while a page of a running study reloads.
const keep = {
  get(name) { try { return JSON.parse(sessionStorage.getItem(document.title + name)); } catch { return null; } },
  set(name, value) { try { sessionStorage.setItem(document.title + name, JSON.stringify(value)); } catch { } },
};

for (const box of document.querySelectorAll(".chart")) {
  const given = JSON.parse(box.querySelector("script").textContent);
  const switches = [...box.querySelectorAll("input[type=checkbox]")];
  const scales = [...box.querySelectorAll("input[type=radio]")];
  const tip = box.querySelector(".tip");
  let view = null;
  const shown = () => switches.filter((entry) => entry.checked).map((entry) => entry.value);
  const telling = (handler, event, item, value) => {
    tip.hidden = !value;
    if (!value) return;
    tip.replaceChildren(...value.telling.map((line) => make("div", line)));
    const right = event.clientX + 14 + tip.offsetWidth > innerWidth;
    tip.style.left = Math.max(4, right ? event.clientX - tip.offsetWidth - 14 : event.clientX + 14) + "px";
    tip.style.top = Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 4) + "px";
  };
  const show = () => { if (view) view.signal("shown", shown()).runAsync(); };
  const draw = async () => {
    const spec = structuredClone(given.specs[scales.find((entry) => entry.checked).value]);
    for (const data of spec.data) if (given.data[data.name]) data.values = given.data[data.name];
    spec.signals.find((entry) => entry.name === "shown").value = shown();
    if (view) view.finalize();
    const made = await vegaEmbed(box.querySelector(".drawing"), spec,
      { mode: "vega", renderer: "svg", actions: false, defaultStyle: false, hover: false, tooltip: telling });
    view = made.view;
  };
  const off = keep.get("off") || null;
  if (off) for (const entry of switches) entry.checked = !off.includes(entry.value);
  const scale = scales.find((entry) => entry.value === keep.get("scale"));
  if (scale) scale.checked = true;
  const switched = () => {
    keep.set("off", switches.filter((entry) => !entry.checked).map((entry) => entry.value));
    show();
  };
  for (const entry of switches) entry.addEventListener("change", switched);
  for (const button of box.querySelectorAll("button")) button.addEventListener("click", () => {
    for (const entry of switches) entry.checked = button.value === "all";
    switched();
  });
  for (const entry of scales) entry.addEventListener("change", () => { keep.set("scale", entry.value); draw(); });
  draw();
}

// Tables: the heads sort, a field filters.
const numberOf = (text) => {
  const match = text.replaceAll(",", "").match(/[-+]?\d*\.?\d+(e[-+]?\d+)?/i);
  return match ? Number(match[0]) : text.includes("∞") ? Infinity : -Infinity;
};
for (const table of document.querySelectorAll("table.sorted-by-head")) {
  const body = table.tBodies[0], rows = [...body.rows];
  if (rows.length < 2) continue;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = make("button", head.textContent, { type: "button", title: "sort" });
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const text = (row) => row.cells[column].textContent;
      const compare = head.classList.contains("text")
        ? (a, b) => text(a).localeCompare(text(b), undefined, { numeric: true })
        : (a, b) => numberOf(text(a)) - numberOf(text(b));
      body.replaceChildren(...[...body.rows].sort((a, b) => sign * compare(a, b)));
      table.classList.add("is-sorted");
    });
    head.replaceChildren(button);
  });
  if (rows.length < 9) continue;
  const field = make("input", "", { type: "search", placeholder: "filter rows", className: "filter" });
  field.setAttribute("aria-label", "filter the rows of the table");
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
  });
  table.closest(".scroll").before(field);
}

for (const text of document.querySelectorAll("pre.command")) {
  const button = make("button", "copy", { type: "button", className: "copy" });
  button.addEventListener("click", async () => {
    const said = text.querySelector("code").textContent;
    try { await navigator.clipboard.writeText(said); } catch {
      getSelection().selectAllChildren(text.querySelector("code"));
      document.execCommand("copy");
    }
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  });
  text.append(button);
}
