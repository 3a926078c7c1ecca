// The modal stack of a person, as the server tells it: only the view on top is shown.

import { post } from "./api.js";
import { avatar } from "./avatar.js";
import { drawBlocks } from "./blocks.js";
import { app, me, user } from "./directory.js";
import { closeDialog, notice, openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { forget, keepOnly, viewSurface } from "./interact.js";
import { plain } from "./mrkdwn.js";

let shown = null; // {node, view, on, notices}

export function showStack(stack) {
  const view = stack.at(-1);
  const known = new Set(stack.map((one) => one.id));
  if (shown && !known.has(shown.view.id)) forget(shown.view.id);
  if (!view) return hide();
  if (shown?.view.id === view.id) return redraw(view);
  hide();
  return open(view);
}

function hide() {
  if (!shown) return;
  closeDialog(shown.node);
  shown = null;
}

function open(view) {
  const notices = h("div", { class: "modal-notices" });
  const on = viewSurface(view.id, (text) => notices.replaceChildren(...(text ? [notice(text)] : [])));
  const form = h("form", { class: "modal-form", id: "modal-form", novalidate: true, on: { submit } });
  const node = openDialog({
    title: plain(view.title),
    lead: avatar(user(app().bot_user_id) ?? { is_bot: true }, "small"),
    body: [notices, form],
    footer: footer(view),
    className: "dialog-modal",
    onCancel: close,
  });
  shown = { node, view, on, notices, form };
  fillForm();
  (node.querySelector("[data-autofocus]") ?? node.querySelector("form input, form textarea, form select"))?.focus();
}

function footer(view) {
  const cancel = h("button", { type: "button", class: "button button-default", on: { click: () => close() } }, plain(view.close) || "Cancel");
  const inputs = view.blocks.some((block) => block.type === "input");
  if (!view.submit && !inputs) return [cancel];
  return [cancel, h("button", { type: "submit", form: "modal-form", class: "button button-primary modal-submit" }, plain(view.submit) || "Submit")];
}

/** The same view with other blocks: what was entered stays. */
function redraw(view) {
  shown.view = view;
  const focused = document.activeElement?.id;
  shown.node.querySelector(".dialog-title").textContent = plain(view.title);
  shown.node.querySelector(".dialog-foot").replaceChildren(...footer(view));
  fillForm();
  if (focused) document.getElementById(focused)?.focus();
}

function fillForm() {
  const { form, view, on } = shown;
  keepOnly(on.values, view.blocks);
  form.replaceChildren(...drawBlocks(view.blocks, on));
}

async function submit(event) {
  event.preventDefault();
  const { node, view, on, notices } = shown;
  const button = node.querySelector(".modal-submit");
  if (!button || button.getAttribute("aria-busy") === "true") return;
  notices.replaceChildren();
  button.setAttribute("aria-busy", "true");
  const answer = await post("view_submit", { user: me().id, view_id: view.id, state: on.values });
  button.removeAttribute("aria-busy");
  if (shown?.view.id !== view.id) return;
  if (!answer.ok) notices.replaceChildren(notice(answer.error ?? "We had some trouble connecting. Try again?"));
  showErrors(answer.errors ?? {});
}

function showErrors(errors) {
  shown.on.errors = errors;
  fillForm();
  shown.form.querySelector("[aria-invalid=true], .input-bad input")?.focus();
}

async function close() {
  const { view, node } = shown;
  node.setAttribute("aria-busy", "true");
  const answer = await post("view_close", { user: me().id, view_id: view.id });
  node.removeAttribute("aria-busy");
  if (!answer.ok && shown?.view.id === view.id) hide(); // the server no longer knows it
}
