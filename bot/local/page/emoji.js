// :names: of common emoji. Unknown names stay text, as in Slack.

const TABLE = `
white_check_mark ✅|heavy_check_mark ✔️|ballot_box_with_check ☑️|x ❌|heavy_multiplication_x ✖️|negative_squared_cross_mark ❎
hourglass ⌛|hourglass_flowing_sand ⏳|stopwatch ⏱️|alarm_clock ⏰|clock1 🕐|calendar 📅|spiral_calendar_pad 🗓️|date 📅
warning ⚠️|rotating_light 🚨|no_entry ⛔|no_entry_sign 🚫|octagonal_sign 🛑|exclamation ❗|question ❓|grey_question ❔|bangbang ‼️
eyes 👀|lock 🔒|unlock 🔓|closed_lock_with_key 🔐|key 🔑|shield 🛡️|moneybag 💰|money_with_wings 💸|credit_card 💳|bank 🏦
receipt 🧾|envelope ✉️|email 📧|incoming_envelope 📨|mailbox 📫|memo 📝|pencil ✏️|pencil2 ✏️|page_facing_up 📄|scroll 📜
clipboard 📋|paperclip 📎|link 🔗|bell 🔔|no_bell 🔕|mega 📣|loudspeaker 📢|speech_balloon 💬|busts_in_silhouette 👥
bust_in_silhouette 👤|handshake 🤝|wave 👋|raised_hand ✋|hand ✋|pray 🙏|clap 👏|+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|ok_hand 👌
point_right 👉|point_left 👈|large_green_circle 🟢|red_circle 🔴|large_yellow_circle 🟡|large_orange_circle 🟠|large_blue_circle 🔵
large_purple_circle 🟣|white_circle ⚪|black_circle ⚫|large_green_square 🟩|large_red_square 🟥|arrow_right ➡️|arrow_left ⬅️
arrow_up ⬆️|arrow_down ⬇️|arrow_forward ▶️|fast_forward ⏩|leftwards_arrow_with_hook ↩️|arrow_right_hook ↪️|repeat 🔁
arrows_counterclockwise 🔄|double_vertical_bar ⏸️|black_square_for_stop ⏹️|robot_face 🤖|gear ⚙️|wrench 🔧|hammer_and_wrench 🛠️
checkered_flag 🏁|palm_tree 🌴|package 📦|truck 🚚|rocket 🚀|tada 🎉|sparkles ✨|star ⭐|fire 🔥|bulb 💡|mag 🔍|bookmark_tabs 📑|bar_chart 📊
chart_with_upwards_trend 📈|zap ⚡|boom 💥|ghost 👻|skull 💀|information_source ℹ️|hash #️⃣|one 1️⃣|two 2️⃣|three 3️⃣
pill 💊|hospital 🏥|stethoscope 🩺|lower_left_fountain_pen 🖋️|black_nib ✒️|smile 😄|slightly_smiling_face 🙂|thinking_face 🤔
heart ❤️|100 💯|zzz 💤|wastebasket 🗑️|inbox_tray 📥|outbox_tray 📤|file_folder 📁|hammer 🔨|scales ⚖️|ladybug 🐞|bug 🐛|ballot_box_with_ballot 🗳️|house 🏠|recycle ♻️|white_small_square ▫️
`;

const BY_NAME = new Map(
  TABLE.trim()
    .split(/[|\n]/)
    .map((entry) => {
      const cut = entry.lastIndexOf(" ");
      return [entry.slice(0, cut), entry.slice(cut + 1)];
    }),
);

/** The character of an emoji, or undefined. */
export const emoji = (name) => BY_NAME.get(name);

/** "done :tada:" with its known names replaced. */
export const withEmoji = (text) => text.replace(/:([a-z0-9_+'-]+):/g, (whole, name) => BY_NAME.get(name) ?? whole);
