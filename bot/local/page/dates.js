// Times as Slack writes them, in the zone of the person who reads.

import { me } from "./directory.js";

const LOCALE = "en-US";
const HALF_YEAR_MS = 182 * 86_400_000;

function zone() {
  try {
    return new Intl.DateTimeFormat(LOCALE, { timeZone: me()?.tz || undefined }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

const write = (date, options) => new Intl.DateTimeFormat(LOCALE, { timeZone: zone(), ...options }).format(date);

function parts(date, options) {
  const formatter = new Intl.DateTimeFormat(LOCALE, { timeZone: zone(), ...options });
  return Object.fromEntries(formatter.formatToParts(date).map(({ type, value }) => [type, value]));
}

const dayKey = (date) => {
  const { year, month, day } = parts(date, { year: "numeric", month: "2-digit", day: "2-digit" });
  return `${year}-${month}-${day}`;
};

function ordinal(day) {
  const tens = day % 100;
  if (tens > 10 && tens < 14) return `${day}th`;
  return `${day}${{ 1: "st", 2: "nd", 3: "rd" }[day % 10] ?? "th"}`;
}

function relativeDay(date) {
  const key = dayKey(date);
  const near = { 0: "today", "-1": "yesterday", 1: "tomorrow" };
  for (const [offset, word] of Object.entries(near)) {
    if (dayKey(new Date(Date.now() + Number(offset) * 86_400_000)) === key) return word;
  }
  return "";
}

function longDate(date, { weekday = false, short = false } = {}) {
  const options = { month: short ? "short" : "long", day: "numeric", year: "numeric", weekday: "long" };
  const at = parts(date, options);
  const year = Math.abs(date - Date.now()) > HALF_YEAR_MS ? `, ${at.year}` : "";
  const day = short ? at.day : ordinal(Number(at.day));
  return `${weekday ? `${at.weekday}, ` : ""}${at.month} ${day}${year}`;
}

const AGO = [
  [86_400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];

function ago(date) {
  const seconds = Math.round((date - Date.now()) / 1000);
  const [size, unit] = AGO.find(([length]) => Math.abs(seconds) >= length) ?? [1, "second"];
  return new Intl.RelativeTimeFormat(LOCALE).format(Math.trunc(seconds / size), unit);
}

const TOKENS = {
  date_num: (date) => dayKey(date),
  date: (date) => longDate(date),
  date_short: (date) => longDate(date, { short: true }),
  date_long: (date) => longDate(date, { weekday: true }),
  date_pretty: (date) => relativeDay(date) || longDate(date),
  date_short_pretty: (date) => relativeDay(date) || longDate(date, { short: true }),
  date_long_pretty: (date) => relativeDay(date) || longDate(date, { weekday: true }),
  day_divider_pretty: (date) => relativeDay(date) || longDate(date, { weekday: true }),
  time: (date) => clock(date),
  time_secs: (date) => write(date, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
  ago: (date) => ago(date),
};

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** "{date_short_pretty} at {time}" of a Unix time; undefined when it is no time. */
export function formatDate(timestamp, format) {
  const date = new Date(Number(timestamp) * 1000);
  if (Number.isNaN(date.getTime())) return undefined;
  const text = format.replace(/\{(\w+)\}/g, (whole, name) => TOKENS[name]?.(date) ?? whole);
  return /^\{date\w*_pretty\}/.test(format) ? capital(text) : text;
}

export const tsToDate = (ts) => new Date(Number.parseFloat(ts) * 1000);
export const clock = (date) => write(date, { hour: "numeric", minute: "2-digit" });
export const dayOf = (ts) => dayKey(tsToDate(ts));
export const dayTitle = (ts) => capital(TOKENS.day_divider_pretty(tsToDate(ts)));
export const fullTime = (date) => `${longDate(date, { weekday: true })} at ${TOKENS.time_secs(date)}`;
export const lastReply = (ts) => formatDate(Number.parseFloat(ts), "{date_short_pretty} at {time}")?.replace(/^./, (first) => first.toLowerCase());

/** `Berlin`: whose clock all times are told by. */
export const zoneName = () => (zone() ?? "").split("/").at(-1).replaceAll("_", " ");
