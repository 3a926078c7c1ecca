// The WebSocket that brings what happens. Reconnects by itself and says when it is away and back.

const LONGEST_PAUSE_MS = 4000;

/** handlers: {event(event), away(), back()}. Returns a function that ends it. */
export function listen(user, handlers) {
  const line = { socket: null, timer: 0, pause: 250, ended: false, wasAway: false };
  connect(user, handlers, line);
  return () => {
    line.ended = true;
    clearTimeout(line.timer);
    line.socket?.close();
  };
}

function connect(user, handlers, line) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/client/ws?user=${encodeURIComponent(user)}`);
  line.socket = socket;
  socket.onopen = () => {
    line.pause = 250;
    if (line.wasAway && !line.ended) handlers.back();
    line.wasAway = false;
  };
  socket.onmessage = (frame) => {
    if (!line.ended) handlers.event(JSON.parse(frame.data));
  };
  socket.onclose = () => {
    if (line.ended) return;
    line.wasAway = true;
    handlers.away();
    line.timer = setTimeout(() => connect(user, handlers, line), line.pause);
    line.pause = Math.min(line.pause * 2, LONGEST_PAUSE_MS);
  };
}
