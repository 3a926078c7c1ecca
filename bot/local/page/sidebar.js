// The left column: the workspace, who you are, channels, direct messages and the app.

import { avatar, badges } from "./avatar.js";
import * as directory from "./directory.js";
import { h, icon, iconButton } from "./dom.js";
import { openMenu } from "./popover.js";

/** use: {place, unread: Map, openChannel(id), become(userId), closeDrawer()} */
export function drawSidebar(use) {
  const direct = directory.directMessages().filter((im) => im.id !== directory.botChannel()?.id);
  return [
    h(
      "div",
      { class: "side-head" },
      h("div", { class: "side-team" }, directory.team().name),
      iconButton("close", "Close sidebar", use.closeDrawer, "drawer-close"),
    ),
    who(use),
    h(
      "nav",
      { class: "side-nav", "aria-label": "Channels" },
      group("Channels", directory.visibleChannels().map((one) => channelRow(one, use))),
      group("Direct messages", direct.map((one) => directRow(one, use))),
      group("Apps", [appRow(use)]),
    ),
    h("p", { class: "side-note" }, icon("laptop"), h("span", null, "Local stand-in for Slack", h("br"), "Nothing leaves this machine.")),
  ];
}

function who(use) {
  const person = directory.me();
  const node = h(
    "button",
    {
      type: "button",
      class: "who",
      "data-testid": "who",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      on: { click: () => openMenu(node, directory.people().map((one) => personItem(one, use)), { label: "Act as", className: "menu-people" }) },
    },
    avatar(person, "medium"),
    h("span", { class: "who-text" }, h("small", null, "You are ", badges(person)), h("b", null, directory.displayName(person))),
    icon("chevron"),
  );
  return node;
}

function personItem(one, use) {
  return {
    current: one.id === directory.me().id,
    className: "person",
    pick: () => use.become(one.id),
    content: [
      avatar(one, "medium"),
      h("span", { class: "person-text" }, h("b", null, directory.displayName(one)), one.title ? h("small", null, one.title) : null),
      badges(one),
    ],
  };
}

function group(title, rows) {
  if (!rows.length) return null;
  return h("section", { class: "side-group", "aria-label": title }, h("h2", null, title), h("ul", null, rows.map((row) => h("li", null, row))));
}

function row(id, label, lead, use, { quiet = false } = {}) {
  const count = use.unread.get(id) ?? 0;
  const here = use.place.channel === id;
  return h(
    "button",
    {
      type: "button",
      class: `side-row${count ? " unread" : ""}${quiet ? " quiet" : ""}`,
      "aria-current": here ? "page" : null,
      "data-channel": id,
      on: { click: () => use.openChannel(id) },
    },
    lead,
    h("span", { class: "side-label" }, label),
    count ? h("span", { class: "count", "aria-label": `${count} unread` }, String(count)) : null,
  );
}

const channelRow = (one, use) => row(one.id, one.name, icon(one.is_private ? "lock" : "hash"), use, { quiet: !directory.isMember(one) });
const directRow = (one, use) => row(one.id, directory.channelTitle(one), avatar(directory.partner(one), "tiny"), use);

function appRow(use) {
  const bot = directory.user(directory.app().bot_user_id) ?? { is_bot: true };
  const im = directory.botChannel()?.id;
  const place = { ...use.place, channel: use.place.channel === im ? "home" : use.place.channel };
  const unread = new Map([["home", use.unread.get(im) ?? 0]]);
  return row("home", directory.app().name, avatar(bot, "tiny"), { ...use, place, unread });
}
