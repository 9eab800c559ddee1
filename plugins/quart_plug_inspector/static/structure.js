// The sections that tell what the app is made of: plugins, hooks, routes, configuration, and other plugins' panels.
import { badge, breakable, code, dash, facts, h, plugin, plural, prose, sheet, span } from "./dom.js";

const TONES = { active: "good", disabled: "plain", blocked: "warm", shadowed: "warm", failed: "bad", incompatible: "bad", missing: "bad" };

/** A link to a row of another section. */
const link = (section, key, ...children) => h("a", { href: `#/${section}/${encodeURIComponent(key)}` }, ...children);

export const plugins = {
  id: "plugins",
  title: "Plugins",
  count: (state) => (state.plugins?.plugins ?? []).filter((each) => each.status === "active").length,
  rows: (state) => state.plugins?.plugins ?? [],
  notice: (state) => state.plugins?.problems ?? [],
  narrow: { label: "Only what is wrong", test: (each) => !["active", "disabled"].includes(each.status) },
  empty: "No plugins.",
  table: {
    caption: "Plugins, the active ones first and in call order",
    key: (each) => `${each.name}${each.status === "shadowed" ? ` of ${each.distribution}` : ""}`,
    columns: [
      { title: "Plugin", className: "main", cell: (each) => plugin(each.name) },
      { title: "State", cell: (each) => badge(each.status, TONES[each.status]) },
      { title: "Why", cell: (each) => breakable(each.reason || (each.requested_by.includes("core") ? "core" : `asked for by ${each.requested_by.join(", ") || "nobody"}`)) },
      { title: "Hooks", className: "number", cell: (each) => (each.hooks.length ? String(each.hooks.length) : dash()) },
      { title: "From", className: "wide kept", cell: (each) => (each.distribution ? [each.distribution, " ", span("note", each.version ?? "")] : span("none", "this project")) },
    ],
    detail: (each) => [
      facts(
        ["Asked for by", each.requested_by.join(", ") || dash()],
        each.value && ["Imported as", code(each.value)],
        ["Distribution", each.distribution ? `${each.distribution} ${each.version ?? ""}` : dash()],
        ...each.declares.map(([relation, names]) => [relation[0].toUpperCase() + relation.slice(1), names]),
      ),
      each.hooks.length
        ? h("section", {}, h("h3", {}, plural(each.hooks.length, "hook")), h("ul", { class: "chips" }, ...each.hooks.map((hook) => h("li", {}, link("hooks", hook, code(hook))))))
        : null,
      each.configuration.length
        ? sheet("Configuration", ["Key", "Value", "Source", "What it is"], each.configuration.map(([key, value, source, what]) => [code(key), span("value", value), span("note", source), what]))
        : null,
    ],
  },
};

const place = (each) => (each.place ? span("place", each.place) : dash());

export const hooks = {
  id: "hooks",
  title: "Hooks",
  count: (state) => (state.hooks ?? []).filter((hook) => hook.implementations.length).length,
  rows: (state) => state.hooks ?? [],
  narrow: { label: "Only implemented ones", test: (hook) => hook.implementations.length > 0, isOn: true },
  empty: "No hooks.",
  table: {
    caption: "Hooks with their implementations in call order",
    key: (hook) => hook.name,
    columns: [
      { title: "Hook", className: "main", cell: (hook) => [code(hook.name)] },
      { title: "Kind", cell: (hook) => [hook.kind, " ", span("note", hook.colour)] },
      { title: "Called, in order", cell: (hook) => (hook.implementations.length ? h("ol", { class: "order" }, ...hook.implementations.map((each) => h("li", each.wanted ? {} : { class: "off", title: "left out at the moment: its condition says no" }, plugin(each.plugin)))) : span("none", "nobody")) },
      { title: "From", className: "wide", cell: (hook) => (hook.owner === "quart_plug" ? span("note", "the kernel") : plugin(hook.owner)) },
    ],
    detail: (hook) => [
      h("p", { class: "signature" }, code(`${hook.name}(${hook.arguments.join(", ")})`)),
      ...hook.documentation.split("\n\n").map(prose),
      facts(["Kind", `${hook.kind}, ${hook.colour}`], hook.slot && ["Filled by default by", plugin(hook.slot)]),
      hook.implementations.length
        ? sheet("Implementations, in call order", ["", "Plugin", "Function", "Place", ""], hook.implementations.map((each, index) => [
          span("number note", String(index + 1)),
          [link("plugins", each.plugin, plugin(each.plugin)), each.version ? span("note", ` ${each.version}`) : null].filter(Boolean),
          code(each.function),
          place(each),
          [each.first ? badge("tryfirst") : null, each.last ? badge("trylast") : null, each.wanted ? null : badge("not now", "calm")].filter(Boolean),
        ]))
        : null,
    ],
  },
};

/** The hooks of a route with who implements each, one entry for a hook. */
function grouped(entries) {
  const found = new Map();
  for (const { hook, plugin: name, off } of entries) found.set(hook, [...(found.get(hook) ?? []), [name, off]]);
  return [...found];
}

const applied = (route) => route.hooks.filter((each) => !each.off);

export const routes = {
  id: "routes",
  title: "Routes",
  count: (state) => (state.routes ?? []).length,
  rows: (state) => state.routes ?? [],
  narrow: { label: "Only the app’s own", test: (route) => route.plugin === null && route.endpoint !== "static" },
  empty: "No routes.",
  table: {
    caption: "Routes, who registered them, and the hooks that apply to each",
    key: (route) => `${route.kind} ${route.methods.join()} ${route.host ?? ""}${route.rule} ${route.endpoint}`,
    columns: [
      { title: "Route", className: "main", cell: (route) => [code(`${route.host ?? ""}${route.rule}`)] },
      { title: "Methods", cell: (route) => (route.kind === "websocket" ? badge("websocket", "calm") : route.methods.filter((method) => !["HEAD", "OPTIONS"].includes(method)).join(" ") || route.methods.join(" ")) },
      { title: "Endpoint", className: "wide", cell: (route) => code(route.endpoint) },
      { title: "Registered by", cell: (route) => (route.plugin ? plugin(route.plugin) : route.blueprint ? span("", `blueprint ${route.blueprint}`) : span("none", "the app")) },
      { title: "Hooks", className: "number", cell: (route) => (applied(route).length ? String(applied(route).length) : dash()) },
    ],
    detail: (route) => [
      facts(
        ["View", route.view ? [code(route.view), " ", route.place ? span("place", route.place) : ""] : span("none", "none is registered")],
        route.methods.length > 0 && ["Methods", route.methods.join(", ")],
        ["Endpoint", code(route.endpoint)],
        route.blueprint && ["Blueprint", route.blueprint],
      ),
      route.hooks.length
        ? sheet("Hooks that apply, in the order of their moments", ["Hook", "Called, in order"], grouped(route.hooks).map(([hook, names]) => [
          link("hooks", hook, code(hook)),
          h("ol", { class: "order" }, ...names.map(([name, off]) => h("li", { class: off ? "off" : null }, plugin(name), off ? span("note", " switched off here") : null))),
        ]))
        : h("p", { class: "note" }, "No plugin has a hook that applies to it."),
      route.functions.length
        ? sheet("The app’s own functions", ["Stage", "Function", "Place", "Of"], route.functions.map(([stage, name, where, whose]) => [code(stage), code(name), span("place", where), whose]))
        : null,
    ],
  },
};

export const configuration = {
  id: "configuration",
  title: "Configuration",
  count: (state) => (state.configuration ?? []).length,
  rows: (state) => state.configuration ?? [],
  narrow: { label: "Only what is set", test: (each) => each.source !== "default" },
  empty: "No settings.",
  table: {
    caption: "Settings, their values, and where these come from",
    key: (each) => each.key,
    columns: [
      { title: "Setting", className: "main plainmain", cell: (each) => code(each.key) },
      { title: "Value", className: "values", cell: (each) => (each.hidden ? [span("value", each.value), " ", span("note", "hidden")] : span("value", each.value)) },
      { title: "Source", cell: (each) => (each.source === "default" ? span("none", "default") : breakable(each.source)) },
    ],
  },
};

/** A section for a panel that another plugin has made. */
export function panel(id) {
  const find = (state) => (state.panels ?? []).find((each) => panelId(each) === id);
  return {
    id,
    get title() {
      return id;
    },
    count: (state) => find(state)?.rows.length ?? 0,
    rows: (state) => (find(state)?.rows ?? []).map((cells, index) => ({ index, cells })),
    notice: (state) => [find(state)?.error].filter(Boolean),
    emptyText: (state) => find(state)?.empty ?? "",
    find,
    table: null,
  };
}

export const panelId = (each) => `panel-${each.plugin}-${each.title}`.toLowerCase().replace(/[^a-z0-9]+/g, "-");

export const panelTable = (columns, title) => ({
  caption: title,
  key: (row) => row.index,
  words: (row) => row.cells.join(" "),
  columns: columns.map((name, index) => ({
    title: name,
    className: index ? null : "main plainmain",
    cell: (row) => {
      const value = row.cells[index];
      return value === null ? dash() : typeof value === "number" ? span("number", String(value)) : String(value);
    },
  })),
});
