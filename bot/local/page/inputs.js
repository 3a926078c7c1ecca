// Elements that hold a value: text, number, dates, selects, radio buttons, check boxes.

import { current } from "./interact.js";
import * as directory from "./directory.js";
import { h, newId } from "./dom.js";
import { multiSelect, select } from "./selects.js";
import { plain, textObject } from "./mrkdwn.js";

/**
 * with: {block, on (surface), changed(value, node, done), id?, label?}.
 * Undefined when the element is none of these.
 */
export function inputElement(element, use) {
  const draw = KINDS[element.type];
  if (!draw) return undefined;
  const node = draw(element, { id: newId("control"), ...use });
  node.dataset.actionId = element.action_id ?? "";
  return node;
}

const KINDS = {
  plain_text_input: textInput,
  email_text_input: (element, use) => line("email", element, use),
  url_text_input: (element, use) => line("url", element, use),
  number_input: (element, use) => line("number", element, use, bounds(element)),
  datepicker: (element, use) => line("date", element, use, {}, element.initial_date),
  timepicker: (element, use) => line("time", element, use, {}, element.initial_time),
  datetimepicker: dateTime,
  static_select: (element, use) => select(element, use, optionsOf(element), element.initial_option?.value),
  users_select: (element, use) => select(element, use, peopleOptions(), element.initial_user),
  channels_select: (element, use) => select(element, use, channelOptions(), element.initial_channel),
  conversations_select: (element, use) => select(element, use, conversationOptions(), element.initial_conversation),
  multi_static_select: (element, use) => multiSelect(element, use, optionsOf(element), initialValues(element)),
  multi_users_select: (element, use) => multiSelect(element, use, peopleOptions(), element.initial_users),
  multi_channels_select: (element, use) => multiSelect(element, use, channelOptions(), element.initial_channels),
  multi_conversations_select: (element, use) => multiSelect(element, use, conversationOptions(), element.initial_conversations),
  radio_buttons: (element, use) => choices("radio", element, use),
  checkboxes: (element, use) => choices("checkbox", element, use),
};

const bounds = (element) => ({
  inputmode: "decimal",
  step: element.is_decimal_allowed ? "any" : "1",
  min: element.min_value,
  max: element.max_value,
});
const initialValues = (element) => element.initial_options?.map((option) => option.value);
const value = (element, use, initial) => current(use.on, use.block.block_id, element.action_id, initial);

function shared(element, use) {
  const error = Boolean(use.on.errors[use.block.block_id]);
  const described = [error ? `${use.id}-error` : "", use.block.hint ? `${use.id}-hint` : ""].join(" ").trim();
  return {
    id: use.id,
    "aria-label": use.label ? null : plain(element.placeholder) || "Value",
    "aria-invalid": error ? "true" : null,
    "aria-describedby": described || null,
    "data-autofocus": element.focus_on_load ? "" : null,
  };
}

function textInput(element, use) {
  const node = h(element.multiline ? "textarea" : "input", {
    ...shared(element, use),
    class: "control",
    type: element.multiline ? null : "text",
    rows: element.multiline ? "4" : null,
    placeholder: plain(element.placeholder) || null,
    maxlength: element.max_length ?? 3000,
    autocomplete: "off",
    value: value(element, use, element.initial_value) ?? "",
    on: { input: () => use.changed(node.value, node, false) },
  });
  if (!element.multiline) onEnter(node, use);
  return node;
}

/** Enter submits the modal, or dispatches the action where the block asks for that. */
function onEnter(node, use) {
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    if (use.block.dispatch_action) event.preventDefault();
    use.changed(node.value, node);
  });
}

const TEXTUAL = new Set(["email", "url", "number"]);

function line(type, element, use, more = {}, initial = element.initial_value) {
  const textual = TEXTUAL.has(type);
  const node = h("input", {
    ...shared(element, use),
    ...more,
    class: `control control-${type}`,
    type,
    placeholder: plain(element.placeholder) || null,
    value: value(element, use, initial) ?? "",
    on: textual ? { input: () => use.changed(node.value, node, false) } : { change: () => use.changed(node.value || null, node) },
  });
  if (textual) onEnter(node, use);
  return node;
}

/** The value is a Unix time; the control shows the browser's zone. */
function dateTime(element, use) {
  const node = h("input", {
    ...shared(element, use),
    class: "control control-datetime",
    type: "datetime-local",
    value: localTime(value(element, use, element.initial_date_time)),
    on: { change: () => use.changed(node.value ? Math.floor(new Date(node.value).getTime() / 1000) : null, node) },
  });
  return node;
}

function localTime(seconds) {
  if (!seconds) return "";
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function optionsOf(element) {
  const read = (option) => ({ value: option.value, text: plain(option.text) });
  if (!element.option_groups) return (element.options ?? []).map(read);
  return element.option_groups.map((group) => ({ label: plain(group.label), options: group.options.map(read) }));
}

const peopleOptions = () =>
  directory.people().filter((one) => !one.deleted).map((one) => ({ value: one.id, text: directory.displayName(one) }));
const channelOptions = () => directory.visibleChannels().map((one) => ({ value: one.id, text: `#${one.name}` }));
const conversationOptions = () => [
  ...channelOptions(),
  ...directory.directMessages().map((one) => ({ value: one.id, text: directory.channelTitle(one) })),
];

function choices(type, element, use) {
  const many = type === "checkbox";
  const initial = many ? initialValues(element) : element.initial_option?.value;
  const chosen = new Set([value(element, use, initial) ?? []].flat());
  const node = h("div", { class: "choices", role: many ? "group" : "radiogroup", "aria-labelledby": use.label ? `${use.id}-label` : null });
  const read = () => [...node.querySelectorAll("input:checked")].map((one) => one.value);
  const changed = () => use.changed(many ? read() : read()[0], node);
  node.append(...(element.options ?? []).map((option) => choice(type, use.id, option, chosen.has(option.value), changed)));
  return node;
}

function choice(type, name, option, checked, changed) {
  const control = h("input", { type, name, value: option.value, checked, on: { change: changed } });
  const description = option.description ? h("small", null, textObject(option.description)) : null;
  return h("label", { class: "choice" }, control, h("span", null, h("span", null, textObject(option.text)), description));
}
