// A table whose rows keep their elements: what changes is drawn again, what is open stays open, focus stays.
import { h } from "./dom.js";

let numbers = 0;

export class Table {
  /**
   * caption  its name, for who does not see it.
   * columns  [{ title, cell(row) -> text or node, className? }]; the first one opens a row's details.
   * key      row -> what tells it from the others.
   * detail   row -> nodes, or absent for rows without details.
   * words    row -> what the filter looks at; by default everything in it.
   */
  constructor({ caption, columns, key, detail = null, words = null }) {
    this.columns = columns;
    this.key = key;
    this.detail = detail;
    this.words = words ?? ((row) => JSON.stringify(Object.values(row)));
    this.rows = new Map();
    const head = h("tr", {}, ...columns.map((column) => h("th", { scope: "col", class: column.className ?? null }, column.title)));
    this.body = h("tbody");
    this.table = h("table", { class: "rows" }, h("caption", { class: "unseen" }, caption), h("thead", {}, head), this.body);
    this.empty = h("p", { class: "empty", hidden: true });
    this.element = h("div", { class: "table" }, this.table, this.empty);
    this.body.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Show these rows, in this order. Gives how many there are. */
  show(rows, nothing) {
    const gone = new Set(this.rows.keys());
    let place = this.body.firstElementChild;
    for (const row of rows) {
      const key = String(this.key(row));
      gone.delete(key);
      const shown = this.#draw(key, row);
      if (shown.line === place) {
        place = (shown.more ?? shown.line).nextElementSibling;
      } else {
        this.body.insertBefore(shown.line, place);
        if (shown.more) this.body.insertBefore(shown.more, place);
      }
    }
    for (const key of gone) this.#remove(key);
    this.table.hidden = rows.length === 0;
    this.empty.hidden = rows.length !== 0;
    if (this.empty.textContent !== nothing) this.empty.textContent = nothing;
    return rows.length;
  }

  #draw(key, row) {
    let shown = this.rows.get(key);
    const signature = JSON.stringify(row);
    if (!shown) {
      shown = { key, line: h("tr", { class: "line" }), cells: [], more: null, button: null, signature: null };
      shown.cells = this.columns.map((column, index) => {
        const cell = h(index ? "td" : "th", { class: column.className ?? null, scope: index ? null : "row" });
        if (!index && this.detail) {
          shown.button = h("button", { type: "button", class: "opener", "aria-expanded": "false", onclick: () => this.#toggle(shown) });
          cell.append(shown.button);
        }
        return cell;
      });
      shown.line.append(...shown.cells);
      this.rows.set(key, shown);
    }
    shown.row = row;
    if (shown.signature !== signature) {
      shown.signature = signature;
      this.columns.forEach((column, index) => {
        const cell = index || !shown.button ? shown.cells[index] : shown.button;
        cell.replaceChildren(...[column.cell(row)].flat());
      });
      if (shown.more) this.#fill(shown);
    }
    return shown;
  }

  #fill(shown) {
    const inside = shown.more.querySelector(":scope > td > div");
    const scrolled = inside.scrollLeft;
    inside.replaceChildren(...[this.detail(shown.row)].flat(Infinity).filter(Boolean));
    inside.scrollLeft = scrolled;
  }

  #toggle(shown, open = !shown.more) {
    if (open === Boolean(shown.more)) return;
    shown.button.setAttribute("aria-expanded", String(open));
    shown.line.classList.toggle("open", open);
    if (!open) {
      shown.more.remove();
      shown.more = null;
      shown.button.removeAttribute("aria-controls");
      return;
    }
    const id = `detail-${++numbers}`;
    shown.more = h("tr", { class: "more", id }, h("td", { colspan: this.columns.length }, h("div", { class: "detail" })));
    shown.button.setAttribute("aria-controls", id);
    this.#fill(shown);
    shown.line.after(shown.more);
  }

  #remove(key) {
    const shown = this.rows.get(key);
    const focused = shown.line.contains(document.activeElement) || shown.more?.contains(document.activeElement);
    if (focused) this.#neighbour(shown.line, 1)?.focus();
    shown.more?.remove();
    shown.line.remove();
    this.rows.delete(key);
  }

  /** Open the row of a key, and go there. */
  open(key) {
    const shown = this.rows.get(String(key));
    if (!shown?.button) return;
    this.#toggle(shown, true);
    shown.button.focus();
    shown.line.scrollIntoView({ block: "nearest" });
  }

  #neighbour(line, step) {
    const buttons = [...this.body.querySelectorAll(".opener")];
    const at = buttons.findIndex((button) => line.contains(button));
    return buttons[at + step] ?? buttons[at - step] ?? null;
  }

  #key(event) {
    const line = event.target.closest("tr.line, tr.more");
    if (!line || event.altKey || event.ctrlKey || event.metaKey) return;
    const main = line.matches(".more") ? line.previousElementSibling : line;
    if (event.key === "Escape") {
      const shown = [...this.rows.values()].find((each) => each.line === main);
      if (!shown?.more) return;
      event.stopPropagation();
      this.#toggle(shown, false);
      shown.button.focus();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.matches(".opener")) {
      event.preventDefault();
      const buttons = [...this.body.querySelectorAll(".opener")];
      buttons[buttons.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
    }
  }
}
