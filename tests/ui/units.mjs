/* The parts of the page that need no browser: node units.mjs SOURCE-TREE. Prints TAP. */
import { deepStrictEqual } from "node:assert";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const source = (name) => import(pathToFileURL(join(process.argv[2], "plugins/page/web/src", name)).href);
const text = await source("text.js");
const json = await source("json.js");
const event = await source("event.js");
const { drops } = await source("drops.js");
let number = 0, failed = 0;

function same(got, wanted, what) {
    number++;
    try {
        deepStrictEqual(got, wanted);
        console.log(`ok ${number} - ${what}`);
    } catch (error) {
        failed++;
        console.log(`not ok ${number} - ${what}\n# ${error.message.replaceAll("\n", "\n# ")}`);
    }
}

same(text.safe("a\u0000b\u001b[31m\u007f\u009b<b>\t"), "a\\x00b\\x1b[31m\\x7f\\x9b<b>\\x09",
    "control characters are spelt");
same(text.safe("\u202egpj.exe \u2066\u200b\ufeff"), "\\u202egpj.exe \\u2066\\u200b\\ufeff",
    "so are marks that turn the writing direction");
same([text.safe(undefined), text.safe(null), text.safe(0), text.safe("Ωж例")], ["", "", "0", "Ωж例"],
    "what is absent is empty, letters stay");
same([0, 0.42, 3, 9.96, 12, 1234, 5e6].map(text.rate), ["0", "0.4", "3", "10", "12", "1.2K", "5M"], "rates are short");
same([0, 59, 60, 3661, 90000].map(text.span), ["0 s", "59 s", "1 min", "1 h 1 min", "1 d 1 h"],
    "spans have two units at most");
same([0, 1023, 1536, 10 * 1048576].map(text.bytes), ["0 B", "1023 B", "1.5 KiB", "10 MiB"], "bytes");
same(text.moment("2026-11-22T15:30:57.978431+0000"), Date.UTC(2026, 10, 22, 15, 30, 57, 978), "EVE's time is read");
same(Number.isNaN(text.moment("soon")), true, "what is no time is none");
same([text.endpoint("10.0.0.1", 80), text.endpoint("2001:db8::1", 80), text.endpoint("2001:db8::1")],
    ["10.0.0.1:80", "[2001:db8::1]:80", "2001:db8::1"], "endpoints");
same([...text.fromHex("00ff7")], [0, 255], "hexadecimal digits, half a byte left out");
same([...text.fromBase64("AP8="), ...text.fromBase64("?")], [0, 255], "base64, and what is none");
same(text.dump(new Uint8Array([0x41, 0x0a, 0xff])), [{ at: "0000", hex: "41 0a ff", text: "A.." }], "a dump");

const id = "7000000000000000001";
same(json.parse(`{"id":${id},"dns":{"id":12},"cause":${id}}`), { id, dns: { id: 12 }, cause: id },
    "ids of 63 bits stay whole");
same(json.parse('{"url":"/?{\\"id\\":7000000000000000001}"}'), { url: '/?{"id":7000000000000000001}' },
    "text that looks like one stays text");

same(event.attacker({ src_ip: "a", dest_ip: "b", direction: "to_client" }), "dest",
    "the client attacks where nobody is named");
same(event.attacker({ src_ip: "a", dest_ip: "b", direction: "to_client", alert: { source: { ip: "a" } } }), "src",
    "who is named attacks");
same(event.country({ ecyber: { geoip: { src: { country: "<b" }, dst: { country: "AT" } } } }, "src"), "",
    "a country is two letters");
same(event.country({ ecyber: { geoip: { dst: { country: "AT" } } } }, "dest"), "AT", "the other end's country");
const rule = 'alert tcp any any -> $HOME_NET any (msg:"a;\\"b:"; content:"x"; sid:1;)';
same(event.ruleParts(rule).map((p) => p.text).join(""), rule, "no byte of a rule is lost");
same(event.ruleParts(rule).filter((p) => p.kind === "string").map((p) => p.text), ['"a;\\"b:"', '"x"'],
    "strings of a rule are whole");
same(event.scoreOf({ score: { features: [{ contribution: 1 }, { contribution: -3 }] } }).features.map((f) => f.contribution),
    [-3, 1], "the largest contribution first");

const account = {
    packets: [{ source: { seen: 9, lost_kernel: 2, bad: 0 }, dropped_by_verdict: 1 }, { source: { lost_kernel: 3 } }],
    events: [{ plugin: "store", dropped: { queue: 7, ring: 0 } }, { plugin: null, dropped: { arena: 1 } }],
    metrics: { core: { "bus.dropped.queue": 7 }, eve: { "dropped.full": 4, events_written: 5 } },
};
same(drops(account).map((r) => [r.layer, r.reason, r.n]),
    [["events to store", "queue", 7], ["packets", "lost by the kernel", 5], ["eve", "full", 4],
        ["packets", "dropped by a rule", 1], ["events on the bus", "arena", 1]],
    "drops add up by layer and reason, none twice");
same(drops({ losses: [{ plugin: "traffic", reason: "overload", n: 3, unit: "flows", why: "too much" }] }),
    [{ layer: "traffic", reason: "overload", n: 3, advice: "too much" }], "what plugins left out says why");
same(drops({}), [], "nothing lost, no rows");
process.exit(failed ? 1 : 0);
