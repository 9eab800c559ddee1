// The sections that live: requests, and websockets.
import { age, badge, bytes, code, dash, duration, facts, h, plural, sheet, span, when } from "./dom.js";
import { bar, waterfall } from "./waterfall.js";

const newestFirst = (map) => [...map.values()].sort((a, b) => b.id - a.id);
const isOpen = (record) => record.state === "open" || record.state === "connecting" || record.state === "closing";

function status(record) {
  if (record.state === "running") return badge("running", "calm");
  if (record.state === "gone") return badge("client left", "warm");
  if (record.status === null) return record.error ? badge("error", "bad") : dash();
  const tone = { 2: "good", 3: "calm", 4: "warm", 5: "bad" }[Math.floor(record.status / 100)] ?? "plain";
  return badge(String(record.status), tone);
}

/** A path; what follows the question mark is quieter. */
const address = (record) => [span("path", record.path), record.query ? span("query", `?${record.query}`) : null].filter(Boolean);

function connection(record) {
  return facts(
    ["Route", record.rule ? code(record.rule) : span("none", "no route matched")],
    record.endpoint && ["Endpoint", code(record.endpoint)],
    ["Began", new Date(record.at * 1000).toLocaleTimeString()],
    ["Client", record.client || dash()],
    ["HTTP", record.http || dash()],
    record.error && ["Error", span("error", record.error)],
  );
}

const headers = (record) => h("details", { class: "fold" }, h("summary", {}, plural(record.headers.length, "header")),
  sheet("Headers", ["Name", "Value"], record.headers.map(([name, value]) => [code(name), span("value", value)])));

let longest = 0;

export const requests = {
  id: "requests",
  title: "Requests",
  count: (state) => state.requests.size,
  rows(state) {
    const found = newestFirst(state.requests);
    longest = Math.max(0, ...found.map((record) => record.seconds ?? 0));
    return found;
  },
  narrow: { label: "Only errors", test: (record) => record.error !== null || record.status >= 400 || record.state === "gone" },
  empty: "No requests yet. Open a page of the app, and it appears here.",
  table: {
    caption: "Recent requests, the newest first",
    key: (record) => record.id,
    words: (record) => `${record.method} ${record.path}?${record.query} ${record.status ?? ""} ${record.state} ${record.endpoint ?? ""} ${record.error ?? ""} ${record.sums.map((sum) => sum[1]).join(" ")}`,
    columns: [
      { title: "Request", className: "main", cell: (record) => [span("method", record.method), " ", ...address(record)] },
      { title: "Status", cell: status },
      { title: "Time", className: "number", cell: (record) => duration(record.seconds) },
      { title: "Plugins’ share", className: "wide bars", cell: (record) => bar(record, longest) },
      { title: "Endpoint", className: "wide", cell: (record) => (record.endpoint ? code(record.endpoint) : dash()) },
      { title: "When", className: "number", cell: (record) => when(record.at) },
    ],
    detail: (record) => [connection(record), waterfall(record), headers(record)],
  },
};

function socketState(record) {
  if (record.state === "open") return badge("open", "good");
  if (isOpen(record)) return badge(record.state, "calm");
  if (record.state === "refused") return badge(record.status ? `refused ${record.status}` : "refused", "warm");
  if (record.state === "gone") return badge("gone", "warm");
  const [closeCode] = record.closed ?? [null];
  const normal = [1000, 1001, 1005].includes(closeCode);
  return badge(closeCode === null ? record.state : `closed ${closeCode}`, normal && !record.error ? "plain" : "bad");
}

const traffic = ([messages, size]) => [span("number", String(messages)), " ", span("note", bytes(size))];

export const websockets = {
  id: "websockets",
  title: "Websockets",
  count: (state) => [...state.websockets.values()].filter(isOpen).length,
  rows: (state) => newestFirst(state.websockets).sort((a, b) => Number(isOpen(b)) - Number(isOpen(a))),
  narrow: { label: "Only open ones", test: isOpen },
  empty: "No websockets yet. One that is opened appears here, and stays for a while when it has ended.",
  table: {
    caption: "Websockets: open ones, then those that have ended",
    key: (record) => record.id,
    words: (record) => `${record.path}?${record.query} ${record.state} ${record.endpoint ?? ""} ${record.client} ${record.error ?? ""} ${(record.closed ?? []).join(" ")}`,
    columns: [
      { title: "Websocket", className: "main", cell: (record) => [span("number note", `#${record.id}`), " ", ...address(record)] },
      { title: "State", cell: socketState },
      { title: "In", className: "number traffic", cell: (record) => traffic(record.received) },
      { title: "Out", className: "number traffic", cell: (record) => traffic(record.sent) },
      { title: "Client", className: "wide", cell: (record) => code(record.client) },
      { title: "Open for", className: "number", cell: (record) => (record.seconds === null ? when(record.at, null) : age(record.seconds)) },
    ],
    detail: (record) => [
      connection(record),
      facts(
        record.subprotocol && ["Subprotocol", code(record.subprotocol)],
        record.websocket && ["Id", code(record.websocket)],
        record.closed && ["Closed", `${record.closed[0]}${record.closed[1] ? ` “${record.closed[1]}”` : ""}${record.closed[2] ? `, by the ${record.closed[2]}` : ""}`],
        record.seconds !== null && ["Ended", when(record.at + record.seconds)],
      ),
      waterfall(record),
      headers(record),
    ],
  },
};
