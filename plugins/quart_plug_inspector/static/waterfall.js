// What one connection spent its time on: a line for each plugin's part of each hook, where it began and how long it was.
import { code, duration, h, plugin, plural, swatch, span } from "./dom.js";

const WIDEST = 100; // percent

/** The time of all plugins in one connection, in seconds; without what came when the response had been sent. */
export const spent = (record) => record.sums.reduce((sum, [hook, , , seconds]) => (hook === "response_sent" ? sum : sum + seconds), 0);

/** A thin bar for a list: how long against the longest one, and the share of the plugins in it. */
export function bar(record, longest) {
  const total = record.seconds ?? 0;
  const inside = Math.min(spent(record), total);
  const share = longest > 0 ? (total / longest) * WIDEST : 0;
  const percent = total > 0 ? Math.round((inside / total) * 100) : 0;
  return h("span", { class: "bar", title: `${percent} % of it in plugins`, style: { "--total": `${share}%`, "--inside": `${percent}%` } });
}

/** By plugin: [name, seconds, calls], the longest first. */
export function byPlugin(record) {
  const found = new Map();
  for (const [, name, calls, seconds] of record.sums) {
    const [before, times] = found.get(name) ?? [0, 0];
    found.set(name, [before + seconds, times + calls]);
  }
  return [...found].map(([name, [seconds, calls]]) => [name, seconds, calls]).sort((a, b) => b[1] - a[1]);
}

/** The whole of it, for the details of a request. */
export function waterfall(record) {
  const ends = record.spans.map(([, , started, seconds]) => started + seconds);
  const total = Math.max(record.seconds ?? 0, ...ends, 1e-6);
  const line = (hook, name, started, seconds, failed) => h("tr", { class: failed ? "failed" : null },
    h("th", { scope: "row" }, code(hook), failed ? span("badge bad", "failed") : null),
    h("td", {}, plugin(name)),
    h("td", { class: "number" }, `+${duration(Math.max(0, started))}`),
    h("td", { class: "number" }, duration(seconds)),
    h("td", { class: "track", "aria-hidden": "true" }, h("i", { style: {
      "--hue": swatch(name).style.getPropertyValue("--hue"),
      "--from": `${(Math.max(0, started) / total) * WIDEST}%`,
      "--long": `${(seconds / total) * WIDEST}%`,
    } })));
  const head = h("tr", {}, ...["Hook", "Plugin", "From", "Time"].map((title, index) => h("th", { scope: "col", class: index > 1 ? "number" : null }, title)),
    h("th", { scope: "col", class: "track" }, h("span", { class: "scale" }, h("span", {}, "0"), h("span", {}, duration(total)))));
  const spans = [...record.spans].sort((a, b) => a[2] - b[2]);
  const told = record.sums.reduce((sum, [, , calls]) => sum + calls, 0);
  const rest = told - spans.length;
  return h("section", { class: "waterfall" },
    h("h3", {}, "Time in hooks"),
    summary(record),
    spans.length ? h("div", { class: "sheet" }, h("table", {}, h("caption", { class: "unseen" }, "Time in hooks, in the order of their beginning"), h("thead", {}, head), h("tbody", {}, ...spans.map((each) => line(...each))))) : null,
    spans.some(([hook]) => hook === "connection") ? h("p", { class: "note" }, "What goes around the handling (connection) has one bar for its parts before and after.") : null,
    rest > 0 ? h("p", { class: "note" }, `${plural(rest, "more call")} counted in the sums and not drawn.`) : null);
}

function summary(record) {
  const plugins = byPlugin(record);
  if (!plugins.length) return h("p", { class: "note" }, "No plugin but the inspector had a part in it.");
  const items = plugins.map(([name, seconds, calls]) => h("li", {}, plugin(name), span("number", duration(seconds)), span("note", plural(calls, "call"))));
  if (record.kind === "request" && record.seconds !== null) {
    const rest = Math.max(0, record.seconds - spent(record));
    items.push(h("li", {}, span("plugin", h("i", { class: "swatch plain", "aria-hidden": "true" }), "the app, and the rest"), span("number", duration(rest))));
  }
  return h("ul", { class: "sums" }, ...items);
}
