// Block Kit blocks -> DOM nodes, drawn as Slack draws them. An unknown block is shown as such.

import { act, enter } from "./interact.js";
import { actionElement, imageElement } from "./controls.js";
import { h, icon, newId } from "./dom.js";
import { inputElement } from "./inputs.js";
import { link } from "./inline.js";
import { plain, textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";

export function drawBlocks(blocks, on) {
  return blocks.map((block) => drawBlock(block, on));
}

function drawBlock(block, on) {
  const draw = BLOCKS[block.type];
  const node = draw ? draw(block, on) : unsupported("block type", block.type);
  node.classList.add("block");
  node.dataset.block = block.type;
  if (block.block_id) node.dataset.blockId = block.block_id;
  return node;
}

const BLOCKS = { header, section, context, divider, actions, input, image, rich_text: richText, table, alert };

export function unsupported(what, type) {
  return h("div", { class: "unsupported", role: "note" }, icon("info"), `Unsupported ${what}: ${type}`);
}

function header(block) {
  return h("h3", { class: "block-header" }, plain(block.text));
}

function divider() {
  return h("hr", null);
}

const text = (object, className = "text") => h("div", { class: className }, textObject(object));

function section(block, on) {
  const body = h("div", { class: "section-body" });
  if (block.text) body.append(text(block.text));
  if (block.fields) body.append(h("div", { class: "fields" }, block.fields.map((field) => text(field, "text field"))));
  const node = h("div", { class: "section" }, body);
  if (block.accessory) {
    const kind = ["button", "image", "overflow"].includes(block.accessory.type) ? block.accessory.type : "wide";
    node.append(h("div", { class: `accessory accessory-${kind}` }, drawElement(block.accessory, block, on)));
  }
  return node;
}

function context(block) {
  const parts = (block.elements ?? []).map((one) => (one.type === "image" ? imageElement(one, "small") : text(one)));
  return h("div", { class: "context" }, parts);
}

function actions(block, on) {
  return h("div", { class: "actions" }, (block.elements ?? []).map((one) => drawElement(one, block, on)));
}

/** An element that acts as soon as it is used. */
function drawElement(element, block, on) {
  if (element.type === "image") return imageElement(element);
  const use = (value, node) => {
    if (value !== undefined) enter(on, block.block_id, element.action_id, value);
    return act(on, block.block_id, element, value, node);
  };
  return (
    actionElement(element, block, use) ??
    inputElement(element, { block, on, changed: (value, node) => void use(value, node) }) ??
    unsupported("element", element.type)
  );
}

function input(block, on) {
  const { element } = block;
  const id = newId("input");
  const changed = (value, node, done = true) => {
    enter(on, block.block_id, element.action_id, value);
    if (block.dispatch_action && done) act(on, block.block_id, element, value, node);
  };
  const control = inputElement(element, { block, on, id, changed, label: plain(block.label) });
  const error = on.errors[block.block_id];
  const grouped = ["radio_buttons", "checkboxes"].includes(element.type);
  const label = grouped ? h("div", { class: "label", id: `${id}-label` }) : h("label", { class: "label", for: id });
  label.append(plain(block.label));
  if (block.optional) label.append(h("span", { class: "optional" }, " (optional)"));
  return h(
    "div",
    { class: error ? "input input-bad" : "input" },
    label,
    control ?? unsupported("element", element.type),
    error ? h("p", { class: "input-error", id: `${id}-error`, role: "alert" }, icon("warn"), error) : null,
    block.hint ? h("p", { class: "hint", id: `${id}-hint` }, plain(block.hint)) : null,
  );
}

function image(block) {
  const title = block.title ? h("div", { class: "image-title" }, plain(block.title)) : null;
  return h("figure", { class: "image" }, title, imageElement(block, "large"));
}

function table(block) {
  const settings = block.column_settings ?? [];
  const rows = (block.rows ?? []).map((row, at) => {
    const cells = row.map((cell, column) => tableCell(cell, settings[column] ?? {}, at === 0));
    return h("tr", null, cells);
  });
  return h("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" }, h("table", null, h("tbody", null, rows)));
}

function tableCell(cell, { align = "left", is_wrapped: wrapped }, first) {
  const content = cell.type === "rich_text" ? richText(cell) : String(cell.text ?? "");
  return h(first ? "th" : "td", { class: `align-${align}${wrapped ? " wrapped" : ""}` }, content);
}

const ALERT_ICONS = { default: "info", info: "info", success: "ok", warning: "warn", error: "stop" };

function alert(block) {
  const level = block.level in ALERT_ICONS ? block.level : "default";
  return h("div", { class: `alert alert-${level}`, role: "note" }, icon(ALERT_ICONS[level]), text(block.text));
}

/** Legacy attachments: a coloured bar with blocks or text. */
export function drawAttachment(attachment, on) {
  const node = h("div", { class: "attachment" });
  if (/^#?[0-9a-f]{6}$/i.test(attachment.color ?? "")) node.style.borderColor = `#${attachment.color.replace("#", "")}`;
  if (attachment.title) node.append(h("div", { class: "attachment-title" }, attachment.title_link ? link(attachment.title_link, attachment.title) : attachment.title));
  if (attachment.blocks) node.append(...drawBlocks(attachment.blocks, on));
  else node.append(text({ type: "mrkdwn", text: attachment.text ?? attachment.fallback ?? "" }));
  return node;
}

