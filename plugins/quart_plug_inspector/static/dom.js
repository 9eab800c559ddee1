// Elements and texts. Whatever comes from the app goes into text nodes and attributes, and never into markup.

/** An element with attributes (`on…` are listeners, null leaves one out) and children (texts, nodes, lists of them). */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style") for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Several things in one cell, with a class. */
export const span = (className, ...children) => h("span", { class: className }, ...children);
/** Code, which may be broken after what parts its words. */
export const code = (text) => h("code", {}, ...breakable(text));
export const breakable = (text) => String(text).split(/(?<=[_./:,(-])/).flatMap((part, index) => (index ? [document.createElement("wbr"), part] : [part]));

/** What a row has nothing to say in. */
export const dash = () => span("none", "–");

// Numbers -----------------------------------------------------------------------------------------------------------

/** A duration: 0.42 ms, 12.3 ms, 1.20 s, 3 min. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "…";
  const milliseconds = seconds * 1000;
  if (milliseconds < 10) return `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 1000) return `${milliseconds.toFixed(1)} ms`;
  if (seconds < 60) return `${seconds.toFixed(2)} s`;
  return age(seconds);
}

/** An age in words: 8 s, 3 min, 2 h, 4 d. */
export function age(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

export function bytes(number) {
  if (number < 1000) return `${number} B`;
  if (number < 1e6) return `${(number / 1e3).toFixed(1)} kB`;
  return `${(number / 1e6).toFixed(1)} MB`;
}

export const plural = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

// Times that go on ---------------------------------------------------------------------------------------------------

let ahead = 0; // seconds that the server's clock is ahead of this one

export function setServerTime(now) {
  ahead = now - Date.now() / 1000;
}

export const serverTime = () => Date.now() / 1000 + ahead;

/** How long ago something was; it is kept up to date. */
export function when(at, ago = true) {
  const element = h("time", { datetime: new Date(at * 1000).toISOString(), "data-at": at, "data-ago": ago });
  element.title = new Date(at * 1000).toLocaleString();
  tick(element);
  return element;
}

function tick(element) {
  const passed = serverTime() - Number(element.dataset.at);
  const text = element.hasAttribute("data-ago") ? (passed < 1.5 ? "now" : `${age(passed)} ago`) : age(passed);
  if (element.textContent !== text) element.textContent = text;
}

setInterval(() => document.querySelectorAll("time[data-at]").forEach(tick), 1000);

// Looks -------------------------------------------------------------------------------------------------------------

/** A state in a few letters, with a colour that says the same: good, warm, bad, calm or plain. */
export const badge = (text, tone = "plain") => span(`badge ${tone}`, text);

/** A plugin's name with its colour, which is the same everywhere. */
export function plugin(name) {
  return name ? span("plugin", swatch(name), span("name", ...breakable(name))) : span("none", "the app");
}

export const swatch = (name) => h("i", { class: "swatch", "aria-hidden": "true", style: { "--hue": hue(name) } });

// FNV-1a, and then the golden angle: names that are alike are far apart.
export function hue(name) {
  let hash = 0x811c9dc5;
  for (const letter of name) hash = Math.imul(hash ^ letter.codePointAt(0), 0x01000193) >>> 0;
  return ((hash * 137.508) % 360).toFixed(0);
}

/** A paragraph in which `this` is code. */
export const prose = (text) => h("p", { class: "prose" }, ...text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part)));

/** Pairs of a name and what it is, as a description list. */
export function facts(...pairs) {
  return h("dl", { class: "pairs" }, ...pairs.filter(Boolean).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** A small table inside of the details of a row. */
export function sheet(caption, columns, rows) {
  const head = h("tr", {}, ...columns.map((column) => h("th", { scope: "col" }, column)));
  return h("div", { class: "sheet" },
    h("table", {}, h("caption", {}, caption), h("thead", {}, head), h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, cell)))))));
}
