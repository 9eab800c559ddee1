// The page: its tabs, its filter, its keys; it draws what `live` tells, section by section.
import { h, plural, setServerTime } from "./dom.js";
import { requests, websockets } from "./connections.js";
import { configuration, hooks, panel, panelId, panelTable, plugins, routes } from "./structure.js";
import { Live } from "./live.js";
import { Table } from "./table.js";

const MOST = 1000; // records of a kind that are kept here
const SECTIONS = [requests, websockets, plugins, hooks, routes, configuration];

const $ = (id) => document.getElementById(id);
const state = { requests: new Map(), websockets: new Map() };
const shown = new Map(); // id -> { section, tab, count, panel, table, notice, filter, narrow }
let current = null;
let paused = false;
let wanted = location.hash;

// Sections ----------------------------------------------------------------------------------------------------------

function add(section, title = section.title, table = section.table) {
  const count = h("span", { class: "count" });
  const tab = h("button", {
    type: "button", role: "tab", id: `tab-${section.id}`, "aria-controls": section.id, "aria-selected": "false", tabindex: "-1",
    onclick: () => select(section.id),
  }, title, " ", count);
  const notice = h("div", { class: "notices" });
  const made = new Table(table);
  const body = h("section", { role: "tabpanel", id: section.id, "aria-labelledby": tab.id, hidden: true }, notice, made.element);
  $("tabs").append(tab);
  $("main").append(body);
  shown.set(section.id, { section, tab, count, body, table: made, notice, filter: "", narrow: section.narrow?.isOn ?? false });
}

function remove(id) {
  const { tab, body } = shown.get(id);
  tab.remove();
  body.remove();
  shown.delete(id);
  if (current === id) select(SECTIONS[0].id);
}

function select(id, focus = false) {
  if (!shown.has(id)) return;
  current = id;
  for (const [each, { tab, body }] of shown) {
    const isThis = each === id;
    tab.setAttribute("aria-selected", String(isThis));
    tab.tabIndex = isThis ? 0 : -1;
    body.hidden = !isThis;
  }
  const { tab, section, filter, narrow } = shown.get(id);
  if (focus) tab.focus();
  showTab(tab);
  $("filter").value = filter;
  $("narrow-label").hidden = !section.narrow;
  $("narrow-text").textContent = section.narrow?.label ?? "";
  $("narrow").checked = narrow;
  if (location.hash.split("/")[1] !== id) history.replaceState(null, "", `#/${id}`);
  redraw();
}

// Not by `scrollIntoView`, which would make the tab the place where Tab goes on from.
function showTab(tab) {
  const strip = $("tabs");
  const right = tab.offsetLeft + tab.offsetWidth - strip.offsetLeft;
  strip.scrollLeft = Math.min(Math.max(strip.scrollLeft, right - strip.clientWidth), tab.offsetLeft - strip.offsetLeft);
}

// Panels come and go with the plugins that have them.
function keepPanels() {
  const panels = new Map((state.panels ?? []).map((each) => [panelId(each), each]));
  for (const [id, { section, columns }] of [...shown]) {
    if (section.find && (!panels.has(id) || columns !== panels.get(id).columns.join("\n"))) remove(id);
  }
  for (const [id, each] of panels) {
    if (shown.has(id)) continue;
    const section = panel(id);
    add(section, each.title, panelTable(each.columns, each.title));
    shown.get(id).columns = each.columns.join("\n");
  }
}

function draw() {
  if (paused) return;
  for (const { section, count } of shown.values()) {
    const text = String(section.count(state));
    if (count.textContent !== text) count.textContent = text;
  }
  const { section, table, notice, filter, narrow } = shown.get(current);
  const all = section.rows(state);
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (row) => {
    const text = table.words(row).toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const rows = all.filter((row) => (!narrow || !section.narrow || section.narrow.test(row)) && matches(row));
  const nothing = all.length ? "Nothing here matches." : section.empty ?? section.emptyText(state);
  table.show(rows, nothing);
  const told = rows.length === all.length ? "" : `${rows.length} of ${plural(all.length, "row")}`;
  if ($("matches").textContent !== told) $("matches").textContent = told;
  const fault = state.faults?.[section.id];
  const notices = [...(section.notice?.(state) ?? []), ...(fault ? [`This could not be told: ${fault}`] : [])];
  if (notice.textContent !== notices.join("")) notice.replaceChildren(...notices.map((text) => h("p", { class: "notice" }, text)));
}

// `#/hooks/request_before` leads to a row. With the slash it is no element's id, to which the browser would jump.
function follow(hash) {
  const [, id, key] = hash.split("/");
  if (!shown.has(id)) return false;
  if (key !== undefined) {
    Object.assign(shown.get(id), { filter: "", narrow: false });
    select(id);
    shown.get(id).table.open(decodeURIComponent(key));
  } else if (id !== current) {
    select(id);
  }
  return true;
}

// What the server tells ---------------------------------------------------------------------------------------------

function take(message, isFirst) {
  setServerTime(message.now);
  for (const kind of ["requests", "websockets"]) {
    if (isFirst) state[kind].clear(); // it may be another process now, which counts from one again
    for (const record of message[kind] ?? []) state[kind].set(record.id, record);
    const surplus = state[kind].size - MOST;
    if (surplus > 0) [...state[kind].keys()].sort((a, b) => a - b).slice(0, surplus).forEach((id) => state[kind].delete(id));
  }
  for (const name of ["app", "plugins", "hooks", "routes", "configuration", "faults", "panels"]) {
    if (name in message) state[name] = message[name];
  }
  if (message.app?.version) {
    const { version, python, process } = message.app;
    $("facts").textContent = `quart-plug ${version} · Python ${python} · process ${process}`;
  }
  if (message.panels) keepPanels();
  draw();
  if (wanted && follow(wanted)) wanted = "";
}

function tell(name, text) {
  $("state").dataset.state = name;
  $("state-text").textContent = paused && name === "live" ? "Paused" : text;
  $("retry").hidden = name !== "offline";
}

SECTIONS.forEach((section) => add(section));
select(requests.id);
let last = ["connecting", "Connecting…"];
const live = new Live(take, (...told) => tell(...(last = told)));

// What the reader does ------------------------------------------------------------------------------------------------

$("retry").addEventListener("click", () => live.now());
$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", String(paused));
  tell(...last);
  draw();
});
$("filter").addEventListener("input", () => {
  shown.get(current).filter = $("filter").value;
  redraw();
});
$("narrow").addEventListener("change", () => {
  shown.get(current).narrow = $("narrow").checked;
  redraw();
});
$("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address tells the section
  $("main").focus();
});
addEventListener("hashchange", () => follow(location.hash));

// What the reader asks for is drawn though the rest is paused.
function redraw() {
  const was = paused;
  paused = false;
  draw();
  paused = was;
}

$("tabs").addEventListener("keydown", (event) => {
  const tabs = [...shown.keys()];
  const at = tabs.indexOf(current);
  const to = { ArrowRight: (at + 1) % tabs.length, ArrowLeft: (at - 1 + tabs.length) % tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  select(tabs[to], true);
});

document.addEventListener("keydown", (event) => {
  const writing = event.target.matches("input:not([type=checkbox]), textarea, select");
  if (event.key === "/" && !writing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    $("filter").focus();
    $("filter").select();
  } else if (event.key === "Escape" && event.target === $("filter")) {
    if ($("filter").value) {
      $("filter").value = shown.get(current).filter = "";
      redraw();
    } else {
      shown.get(current).tab.focus();
    }
    event.preventDefault();
  }
});

// Light and dark ------------------------------------------------------------------------------------------------------

const SCHEMES = ["automatic", "light", "dark"];
const KEPT = "quart-plug-inspector-scheme";

function setScheme(name) {
  if (name === "automatic") delete document.documentElement.dataset.scheme;
  else document.documentElement.dataset.scheme = name;
  $("scheme").textContent = `Scheme: ${name}`;
}

function keptScheme() {
  try {
    const name = localStorage.getItem(KEPT);
    return SCHEMES.includes(name) ? name : "automatic";
  } catch {
    return "automatic"; // the browser keeps nothing
  }
}

setScheme(keptScheme());
$("scheme").addEventListener("click", () => {
  const name = SCHEMES[(SCHEMES.indexOf(document.documentElement.dataset.scheme ?? "automatic") + 1) % SCHEMES.length];
  setScheme(name);
  try {
    localStorage.setItem(KEPT, name);
  } catch {
    // Then it is for this page only.
  }
});
