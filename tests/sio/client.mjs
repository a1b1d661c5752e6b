// The client that pages use, on each transport: prints "ok what" or "not ok what". usage: node client.mjs URL TOKEN
import { io } from "socket.io-client";

const [url, token] = process.argv.slice(2);
const say = (good, what, detail) => console.log(`${good ? "ok" : "not ok"} ${what}${good ? "" : ` (${JSON.stringify(detail)})`}`);
const wait = (what, ms) => Promise.race([what, new Promise((_, no) => setTimeout(() => no(new Error("too late")), ms))]);
const once = (s, name, ms = 15000) => wait(new Promise((yes) => s.once(name, (...a) => yes(a))), ms);

async function on(name, transports) {
  // a POST of more than 16 KiB is taken from whom the server knows by a header
  const known = transports.length === 1 && transports[0] === "polling" ? { Authorization: `Bearer ${token}` } : {};
  const to = (space, auth, extraHeaders = known) =>
    io(url + space, { transports, auth, extraHeaders, forceNew: true, reconnection: false });
  const open = async (s) => { await once(s, "connect"); return s; };
  const shut = [];
  const go = async (space, auth) => { const s = to(space, auth); shut.push(s); return open(s); };
  const daemon = await go("/events", { token });
  say(daemon.connected, `${name}: connects with a token`);
  if (transports.length > 1) {
    const engine = daemon.io.engine;
    if (engine.transport.name !== "websocket") await wait(new Promise((yes) => engine.once("upgrade", yes)), 15000);
    say(engine.transport.name === "websocket", `${name}: goes on by WebSocket`);
  }
  const stranger = to("/events", {}, {});
  shut.push(stranger);
  const [error] = await once(stranger, "connect_error");
  say(error.message === "Not authenticated", `${name}: a stranger has connect_error`, error.message);
  const answer = await daemon.timeout(15000).emitWithAck("subscribe", { topics: ["news"], filter: { "news.word": "even" } });
  say(answer.ok === true, `${name}: subscribe is acknowledged`, answer);
  const got = [];
  daemon.on("news", (e) => got.push(e));
  const control = await go("/control", {});
  await control.timeout(15000).emitWithAck("publish", 40, 100);
  while (got.length < 20) await once(daemon, "news");
  say(got.every((e) => e.news.word === "even" && e.news.number % 2 === 0), `${name}: 20 events that pass the filter`, got);
  const echo = await go("/", {});
  echo.emit("message", { a: Buffer.from([1, 2, 3]), b: [Buffer.from([]), "ü"] }, 5);
  const [back, five] = await once(echo, "message-back");
  say(Buffer.from(back.a).equals(Buffer.from([1, 2, 3])) && back.b[0].byteLength === 0 && back.b[1] === "ü" && five === 5,
    `${name}: binary comes back`, back);
  const acked = await echo.timeout(15000).emitWithAck("message-with-ack", Buffer.alloc(100000, 7));
  say(Buffer.from(acked).equals(Buffer.alloc(100000, 7)), `${name}: 100 kB in an acknowledgement`);
  const [one, two] = [await go("/custom", {}), await go("/custom", {})];
  one.emit("join");
  two.emit("join");
  await Promise.all([one, two].map((s) => s.timeout(15000).emitWithAck("message-with-ack", 1)));
  const heard = Promise.all([once(one, "said"), once(two, "said")]);
  two.emit("say", "to all");
  say((await heard).every((a) => a[0] === "to all"), `${name}: a room hears it`);
  const gone = once(one, "disconnect");
  one.emit("leave-me");
  say((await gone)[0] === "io server disconnect", `${name}: the server disconnects`);
  for (const s of shut) s.close();
}

try {
  await on("websocket", ["websocket"]);
  await on("upgrade", ["polling", "websocket"]);
  if (url.startsWith("http:")) await on("polling", ["polling"]);
} catch (e) {
  say(false, String(e), e.stack);
}
process.exit(0);
