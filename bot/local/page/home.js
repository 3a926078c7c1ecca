// App Home: the view that the bot published for this person.

import { post } from "./api.js";
import { avatar, badges } from "./avatar.js";
import { drawBlocks } from "./blocks.js";
import { app, me, user } from "./directory.js";
import { notice } from "./dialog.js";
import { h } from "./dom.js";
import { keepOnly, viewSurface } from "./interact.js";

export class Home {
  constructor() {
    this.notices = h("div", { class: "home-notices" });
    this.body = h("div", { class: "home-body", "data-testid": "home", "aria-live": "polite" });
    this.node = h("div", { class: "home" }, this.notices, this.body);
  }

  async load() {
    this.body.replaceChildren(h("p", { class: "home-wait" }, "Opening App Home…"));
    const answer = await post("home", { user: me().id });
    if (!answer.ok) this.warn(answer.error);
    this.show(answer.view ?? null);
  }

  show(view) {
    if (!view) {
      if (!this.view) this.body.replaceChildren(empty());
      return;
    }
    this.view = view;
    const on = viewSurface(view.id, (text) => this.warn(text));
    keepOnly(on.values, view.blocks ?? []);
    this.body.replaceChildren(...drawBlocks(view.blocks ?? [], on));
  }

  warn(text) {
    this.notices.replaceChildren(...(text ? [notice(text)] : []));
  }
}

function empty() {
  const bot = user(app().bot_user_id) ?? { is_bot: true, real_name: app().name };
  return h(
    "div",
    { class: "home-empty" },
    avatar(bot, "large"),
    h("h3", null, "Nothing here yet", badges({})),
    h("p", null, `${app().name} has not published its Home for you. Once a bot instance is listening, open this again.`),
  );
}
