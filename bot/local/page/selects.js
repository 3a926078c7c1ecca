// Select menus. A native <select> is the best menu on a phone and with a keyboard.

import { current } from "./interact.js";
import { h, icon } from "./dom.js";
import { plain } from "./mrkdwn.js";

const flat = (options) => options.flatMap((one) => one.options ?? [one]);

function optionNodes(options, chosen) {
  return options.map((one) => {
    if (one.options) return h("optgroup", { label: one.label }, optionNodes(one.options, chosen));
    return h("option", { value: one.value, selected: chosen === one.value }, one.text);
  });
}

function placeholder(element, text) {
  return h("option", { value: "" }, plain(element.placeholder) || text);
}

function attributes(element, use, label) {
  const bad = Boolean(use.on.errors[use.block.block_id]);
  return {
    id: use.id,
    class: "control control-select",
    "aria-label": use.label ? null : label,
    "aria-invalid": bad ? "true" : null,
    "aria-describedby": bad ? `${use.id}-error` : null,
    "data-autofocus": element.focus_on_load ? "" : null,
  };
}

/** One option of many. The value is the option's value, or null. */
export function select(element, use, options, initial) {
  const chosen = current(use.on, use.block.block_id, element.action_id, initial);
  const label = plain(element.placeholder) || "Select an option";
  const node = h(
    "select",
    { ...attributes(element, use, label), on: { change: () => use.changed(node.value || null, node) } },
    placeholder(element, "Select an option"),
    optionNodes(options, chosen),
  );
  if (!chosen) node.value = "";
  node.dataset.empty = String(!chosen);
  node.addEventListener("change", () => void (node.dataset.empty = String(!node.value)));
  return h("div", { class: "select-box" }, node, icon("chevron"));
}

/** Several options: chips, and a menu that adds one. The value is the list of values. */
export function multiSelect(element, use, options, initial) {
  const chosen = [...(current(use.on, use.block.block_id, element.action_id, initial) ?? [])];
  const chips = h("div", { class: "chips" });
  const adder = h("select", attributes(element, use, plain(element.placeholder) || "Add an option"));
  const node = h("div", { class: "multi" }, chips, h("div", { class: "select-box" }, adder, icon("chevron")));
  const full = () => chosen.length >= (element.max_selected_items ?? Infinity);
  const changed = () => {
    draw();
    use.changed([...chosen], node);
  };
  const draw = () => {
    chips.replaceChildren(...chosen.map((value) => chip(value, options, () => removeFrom(chosen, value, changed))));
    const left = flat(options).filter((one) => !chosen.includes(one.value));
    adder.replaceChildren(placeholder(element, "Add…"), ...optionNodes(left));
    adder.value = "";
    adder.dataset.empty = "true";
    adder.disabled = full();
  };
  adder.addEventListener("change", () => {
    if (adder.value) chosen.push(adder.value);
    changed();
  });
  draw();
  return node;
}

function removeFrom(list, value, then) {
  list.splice(list.indexOf(value), 1);
  then();
}

function chip(value, options, remove) {
  const text = flat(options).find((one) => one.value === value)?.text ?? value;
  const cross = h("button", { type: "button", "aria-label": `Remove ${text}`, on: { click: remove } }, icon("close"));
  return h("span", { class: "chip" }, text, cross);
}
