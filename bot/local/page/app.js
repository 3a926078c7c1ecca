// The page of the local workspace: starts it, follows the address, and hands live events to what is shown.

import { get } from "./api.js";
import { Conversation, HomeColumn, isTopLevel, Thread } from "./conversation.js";
import * as directory from "./directory.js";
import { h, icon } from "./dom.js";
import { navigation } from "./inline.js";
import { listen } from "./live.js";
import { showStack } from "./modal.js";
import { closeMenu } from "./popover.js";
import * as address from "./place.js";
import { drawSidebar } from "./sidebar.js";

const root = document.getElementById("app");
const parts = {
  side: h("aside", { class: "side", id: "sidebar", "aria-label": "Workspace" }),
  shade: h("div", { class: "shade", on: { click: () => drawer(false) } }),
  main: h("main", { class: "column main", "data-testid": "channel" }),
  thread: h("section", { class: "column thread", "data-testid": "thread", "aria-label": "Thread", hidden: true }),
  listening: h("span", { class: "listening", role: "status", "data-testid": "connections" }),
  away: h("div", { class: "away", role: "alert", hidden: true }, "Connection to the local workspace lost. Trying again…"),
};

let place = address.read();
let shown = { main: null, thread: null };
let hangUp = () => {};
const unread = new Map();

async function start() {
  if (!(await loadDirectory())) return;
  root.replaceChildren(strip(), parts.away, h("div", { class: "columns" }, parts.side, parts.shade, parts.main, parts.thread));
  navigation.openChannel = openChannel;
  navigation.openPlace = go;
  window.addEventListener("popstate", () => follow());
  document.addEventListener("keydown", onKey);
  follow({ replace: true });
}

async function loadDirectory() {
  const boot = await get("boot");
  if (!boot.ok) {
    root.replaceChildren(h("p", { class: "loading", role: "alert" }, boot.error));
    return false;
  }
  directory.fill(boot);
  showListening(boot.connections);
  return true;
}

function strip() {
  return h(
    "div",
    { class: "strip" },
    icon("laptop"),
    h("span", { class: "strip-text" }, h("b", null, "Local stand-in for Slack"), h("span", { class: "strip-more" }, " – nothing leaves this machine")),
    parts.listening,
  );
}

function showListening(count) {
  const words = count === 0 ? "No bot is listening" : count === 1 ? "1 bot instance listening" : `${count} bot instances listening`;
  parts.listening.dataset.count = String(count);
  parts.listening.replaceChildren(h("span", { class: "dot" }), words);
}

/** Brings the page to what the address says. */
function follow({ replace = false } = {}) {
  const before = place;
  place = complete(address.read());
  address.write(place, { replace: true });
  const changedPerson = before.as !== place.as || !shown.main;
  directory.setMe(place.as);
  if (changedPerson) becomePerson();
  const changedChannel = changedPerson || before.channel !== place.channel;
  if (changedChannel) showMain();
  if (changedChannel || before.thread !== place.thread) showThread();
  unread.delete(place.channel);
  drawSide();
  if (!replace) drawer(false);
}

/** Fills in what the address leaves open, and corrects what does not exist. */
function complete(wanted) {
  const person = directory.user(wanted.as);
  const as = person && !person.is_bot ? person.id : directory.people()[0].id;
  directory.setMe(as);
  const visible = [...directory.visibleChannels(), ...directory.directMessages()];
  const known = wanted.channel === "home" || visible.some((one) => one.id === wanted.channel);
  const first = visible.find((one) => directory.isMember(one)) ?? visible[0];
  const channel = known ? wanted.channel : (first?.id ?? "home");
  return { as, channel, thread: known && channel !== "home" ? wanted.thread : "" };
}

function go(changes) {
  address.write({ ...place, ...changes });
  follow();
}

const openChannel = (id) => go({ channel: id, thread: "" });
const openThread = (ts) => go({ thread: ts });
const closeThread = () => go({ thread: "" });

function becomePerson() {
  unread.clear();
  showStack([]);
  hangUp();
  hangUp = listen(place.as, {
    event: onEvent,
    away: () => void (parts.away.hidden = false),
    back: comeBack,
  });
}

async function comeBack() {
  parts.away.hidden = true;
  if (!(await loadDirectory())) return;
  shown.main.load();
  shown.thread?.load();
  drawSide();
}

function showMain() {
  const use = { channelId: place.channel, openThread, openChannel, openDrawer: () => drawer(true) };
  shown.main = place.channel === "home" ? new HomeColumn(use) : new Conversation(use);
  parts.main.replaceChildren(shown.main.node);
  shown.main.load();
  title();
}

function showThread() {
  shown.thread = place.thread ? new Thread({ channelId: place.channel, ts: place.thread, close: closeThread }) : null;
  parts.thread.hidden = !shown.thread;
  root.classList.toggle("with-thread", Boolean(shown.thread));
  parts.thread.replaceChildren(...(shown.thread ? [shown.thread.node] : []));
  shown.thread?.load();
}

function drawSide() {
  const become = (id) => go({ as: id });
  parts.side.replaceChildren(...drawSidebar({ place, unread, openChannel, become, closeDrawer: () => drawer(false) }).filter(Boolean));
  title();
}

function drawer(open) {
  root.classList.toggle("with-drawer", open);
  closeMenu();
  if (open) parts.side.querySelector(".drawer-close").focus();
}

function title() {
  const waiting = [...unread.values()].reduce((sum, count) => sum + count, 0);
  document.title = `${waiting ? `(${waiting}) ` : ""}${shown.main.title} – Countersign, local workspace`;
}

const EVENTS = {
  message: onMessage,
  message_changed: toShown,
  message_deleted: toShown,
  home: toShown,
  view: ({ stack }) => showStack(stack),
  connections: ({ count }) => showListening(count),
  channel: ({ channel }) => {
    directory.putChannel(channel);
    drawSide();
  },
};

const onEvent = (event) => EVENTS[event.type]?.(event);

function toShown(event) {
  shown.main.event(event);
  if (event.type !== "home") shown.thread?.event(event);
}

function onMessage(event) {
  const { message, channel } = event;
  const covered = channel === place.channel && !parts.main.offsetParent; // a phone, with a thread open
  if (message.is_ephemeral && isTopLevel(message) && covered) closeThread();
  toShown(event);
  if (channel === place.channel || message.user === place.as || !isTopLevel(message)) return;
  unread.set(channel, (unread.get(channel) ?? 0) + 1);
  drawSide();
}

function onKey(event) {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (root.classList.contains("with-drawer")) drawer(false);
  else if (place.thread) closeThread();
}

start();
