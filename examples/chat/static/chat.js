// The browser's end of /ws: shows what comes, sends what is written, and connects again when the connection is lost.
"use strict";

const FIRST_DELAY = 500; // milliseconds before the first new attempt; each further one waits twice as long
const LONGEST_DELAY = 15_000;
const NO_NAME = 4401; // app.py's close code for a session without a name

const chat = document.getElementById("chat");
const state = document.getElementById("state");
const retry = document.getElementById("retry");
const log = document.getElementById("log");
const people = document.getElementById("people");
const peopleCount = document.getElementById("people-count");
const problem = document.getElementById("problem");
const composer = document.getElementById("composer");
const field = document.getElementById("text");
const sendButton = composer.querySelector("button");

// Connection ---------------------------------------------------------------------------------------------------------

let socket = null;
let attempts = 0;
let countdown = null;

function connect() {
  clearInterval(countdown);
  show("connecting", "Connecting…");
  const address = new URL(chat.dataset.socket, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(address);
  socket.onopen = () => {
    attempts = 0;
    log.setAttribute("aria-busy", "true"); // the history follows, and a screen reader need not read all of it out
    show("online", "Connected");
  };
  socket.onmessage = (event) => {
    const { type, ...message } = JSON.parse(event.data);
    receivers[type]?.(message);
  };
  socket.onclose = (event) => (event.code === NO_NAME ? location.reload() : connectLater());
}

function connectLater() {
  const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempts++);
  // Not everybody at the same moment, when it was the server that went away.
  const due = Date.now() + delay * (0.75 + Math.random() / 2);
  const tick = () => {
    const left = due - Date.now();
    if (left <= 0) connect();
    else show("offline", `No connection. Next try in ${Math.ceil(left / 1000)} s`);
  };
  tick();
  countdown = setInterval(tick, 250);
}

function connectNow() {
  if (state.dataset.state === "offline") connect();
}

function show(name, words) {
  if (state.textContent !== words) state.textContent = words;
  state.dataset.state = name;
  retry.hidden = name !== "offline";
  sendButton.disabled = name !== "online";
}

retry.addEventListener("click", connectNow);
window.addEventListener("online", connectNow);

// What the server tells ------------------------------------------------------------------------------------------------

const shown = new Set(); // ids: after a new connection the history has much that is on the page already

const receivers = {
  message(message) {
    if (addMessage(message) && document.hidden) {
      unread += 1;
      showUnread();
    }
  },

  people({ people: list }) {
    log.removeAttribute("aria-busy"); // the first list comes after the history
    peopleCount.textContent = list.length;
    people.replaceChildren(
      ...list.map(({ user, name, tabs }) => {
        const own = user === chat.dataset.user ? " (you)" : "";
        const more = tabs > 1 ? `${tabs} tabs` : "";
        return element("li", "", avatar(user, name), element("span", "name", name + own), element("span", "hint", more));
      }),
    );
  },

  renamed({ user }) {
    // In another tab. The new connection has the cookie with the new name.
    if (user === chat.dataset.user) socket.close();
  },

  gap() {
    receivers.problem({ text: "Some messages may have been lost on their way." });
  },

  problem({ text }) {
    problem.textContent = text;
    problem.hidden = false;
  },
};

// Whether it is a new one.
function addMessage({ id, user, name, text, at }) {
  if (shown.has(id)) return false;
  shown.add(id);
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const date = new Date(at * 1000);
  const time = element("time", "", date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = date.toISOString();
  const own = user === chat.dataset.user;
  const grouped = log.lastElementChild?.dataset.user === user ? " again" : "";
  const item = element(
    "li",
    (own ? "message own" : "message") + grouped,
    avatar(user, name),
    element("p", "who", element("span", "name", name), " ", time),
    element("p", "text", text),
  );
  item.dataset.user = user;
  log.append(item);
  if (atEnd || own) log.scrollTop = log.scrollHeight;
  return true;
}

// An element with a class and children; texts stay texts, whatever is in them.
function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

function avatar(user, name) {
  const made = element("span", "avatar", [...name][0].toUpperCase());
  made.setAttribute("aria-hidden", "true");
  made.style.setProperty("--hue", parseInt(user.slice(0, 6), 16) % 360);
  return made;
}

// Writing ------------------------------------------------------------------------------------------------------------

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value.trim();
  if (!text || socket?.readyState !== WebSocket.OPEN) return; // it stays in the field until there is a connection
  socket.send(JSON.stringify({ type: "say", text }));
  field.value = "";
  problem.hidden = true;
  fitField();
});

field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});

field.addEventListener("input", fitField);

function fitField() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
}

// The number of unread messages, in the title of a tab in the background --------------------------------------------------

const title = document.title;
let unread = 0;

function showUnread() {
  document.title = unread ? `(${unread}) ${title}` : title;
}

document.addEventListener("visibilitychange", () => {
  unread = 0;
  showUnread();
});

connect();
