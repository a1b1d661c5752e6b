"""Makes up a plugin in C: random names for its topic, its fields of every type, its metric and its route, and what JSON
its record has to be. Used by generated_plugin.py."""
import base64
import ipaddress
import random
import struct


def word(n=8):
    return "z" + "".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(n))


def c_bytes(raw):
    return '"%s"' % "".join("\\%03o" % b for b in raw)


def put(raw):
    return "ec_put(&b, %s, %d)" % (c_bytes(raw), len(raw))



class Field:
    """One row: its C member, its row, the statement that fills it, its JSON value and its OpenAPI type."""
    made = 0

    def __init__(self, kind, flags="0", prefix=""):
        Field.made += 1
        self.kind, self.flags = kind, flags
        self.member, self.path = "m%d" % Field.made, prefix + word()
        self.sub = ""                       # declarations that it needs
        getattr(self, kind)()

    def number(self, ctype, bits, signed=False):
        value = random.randrange(1, 1 << (bits - 1))
        self.json, self.schema = -value if signed else value, "integer"
        self.declare = "%s %s;" % (ctype, self.member)
        self.fill = "r->%s = %s%d%s;" % (self.member, "-" if signed else "", value, "" if bits < 32 else "LL" if signed else "ULL")

    def U8(self): self.number("uint8_t", 8)
    def U16(self): self.number("uint16_t", 16)
    def U32(self): self.number("uint32_t", 32)
    def U64(self): self.number("uint64_t", 53)
    def I64(self): self.number("int64_t", 53, True)
    def DURATION(self): self.number("uint64_t", 50)
    def SIZE(self): self.number("uint64_t", 50)

    def F64(self):
        self.json, self.schema = random.randrange(1, 1 << 20) / 8, "number"
        self.declare, self.fill = "double %s;" % self.member, "r->%s = %r;" % (self.member, self.json)

    def BOOL(self):
        self.json, self.schema = True, "boolean"
        self.declare, self.fill = "uint8_t %s;" % self.member, "r->%s = 1;" % self.member

    def array(self, raw):
        self.declare = "uint8_t %s[%d];" % (self.member, len(raw))
        self.fill = "memcpy(r->%s, %s, %d);" % (self.member, c_bytes(raw), len(raw))

    def IP(self):
        address = ipaddress.IPv4Address(random.getrandbits(32))
        self.json, self.schema = str(address), "string"
        self.array(b"\0" * 10 + b"\xff\xff" + address.packed)

    def MAC(self):
        raw = bytes(random.getrandbits(8) for _ in range(6))
        self.json, self.schema = raw.hex(":"), "string"
        self.array(raw)

    def TIME(self):
        import time
        s, us = random.randrange(1500000000, 1800000000), random.randrange(1000000)
        self.json, self.schema = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(s)) + ".%06d+0000" % us, "string"
        self.declare, self.fill = "uint64_t %s;" % self.member, "r->%s = %dULL;" % (self.member, s * 1000000000 + us * 1000)

    def span(self, raw, json):
        self.json, self.schema = json, "string"
        self.declare, self.fill = "struct ec_span %s;" % self.member, "r->%s = %s;" % (self.member, put(raw))

    def TEXT(self):
        text = word() + ' "<b>Grüße</b>\\' + word()
        self.span(text.encode("utf-8"), text)

    def WIRE(self):
        name = word()
        self.span(name.encode() + b"\xff\0", name + "\\xff\\x00")

    def BYTES(self):
        raw = bytes(random.getrandbits(8) for _ in range(11))
        self.span(raw, base64.b64encode(raw).decode())

    def HEX(self):
        raw = bytes(random.getrandbits(8) for _ in range(9))
        self.span(raw, raw.hex())

    def ENUM(self):
        words = [word() for _ in range(3)]
        self.json, self.schema = words[1], "string"
        self.declare, self.fill = "uint32_t %s;" % self.member, "r->%s = 1;" % self.member
        self.row = 'EC_FIELD_ENUM(%s, struct record, %s, "%s", "%s", "made up")' % (
            self.flags, self.member, self.path, ",".join(words))

    def NAME(self):
        self.json, self.schema = word(), "string"
        self.declare = "uint32_t %s;" % self.member
        self.fill = "r->%s = p->name;" % self.member
        self.intern = '"%s", "%s"' % (self.path, self.json)
        self.row = 'EC_FIELD_NAME(%s, struct record, %s, "%s", "%s", "made up")' % (
            self.flags, self.member, self.path, self.path)

    def RECORD(self):
        key, number = word(), word()
        texts = [word() for _ in range(3)]
        self.json, self.schema = [{key: t, number: i} for i, t in enumerate(texts)], "array"
        self.sub = ("struct element { struct ec_span text; uint32_t n, pad; };\nstatic const struct ec_row element_rows[] = {\n"
                    '    EC_FIELD(TEXT, 0, struct element, text, "%s", NULL, "made up"),\n'
                    '    EC_FIELD(U32, 0, struct element, n, "%s", NULL, "made up"),\n};\n'
                    "static const struct ec_record element = EC_RECORD_ELEMENT(struct element, element_rows);\n" % (key, number))
        self.declare = "struct ec_list %s;" % self.member
        self.fill = "{ struct element *e = ec_rows(&b, &r->%s, 3, sizeof *e);\n" % self.member + "".join(
            "      if (e) { e[%d].text = %s; e[%d].n = %d; }\n" % (i, put(t.encode()), i, i) for i, t in enumerate(texts)) + "    }"
        self.row = 'EC_FIELD_LIST(&element, struct record, %s, "%s", "made up")' % (self.member, self.path)

    def MAP(self):
        key, value = word(), word()
        self.json, self.schema = {key: value}, "object"
        self.declare = "struct ec_list %s;" % self.member
        self.fill = ("{ struct ec_pair *e = ec_rows(&b, &r->%s, 1, sizeof *e);\n      if (e) { e->key = %s; e->value = %s; } }"
                     % (self.member, put(key.encode()), put(value.encode())))

    def several(self, kind, ctype, values, schema="array"):
        self.schema = schema
        self.declare = "struct ec_list %s;" % self.member
        self.fill = "{ %s *e = ec_rows(&b, &r->%s, %d, sizeof *e);\n" % (ctype, self.member, len(values)) + "".join(
            "      if (e) e[%d] = %s;\n" % item for item in enumerate(values)) + "    }"
        self.row = 'EC_FIELD(%s, EC_R_LIST, struct record, %s, "%s", NULL, "made up")' % (kind, self.member, self.path)

    def TEXTS(self):
        self.json = [word() for _ in range(3)]
        self.several("TEXT", "struct ec_span", [put(t.encode()) for t in self.json])

    def NUMBERS(self):
        self.json = [random.getrandbits(31) for _ in range(4)]
        self.several("U32", "uint32_t", ["%du" % n for n in self.json])

    def SECRET(self):
        self.TEXT()
        self.hidden, self.json = self.json, "***"
        self.row = 'EC_FIELD(TEXT, EC_R_SECRET, struct record, %s, "%s", NULL, "made up")' % (self.member, self.path)

    def ABSENT(self):
        self.U32()
        self.json, self.fill = None, ""
        self.row = 'EC_FIELD_OPT(U32, 0, 7, struct record, %s, "%s", NULL, "made up")' % (self.member, self.path)

    def code(self):
        return getattr(self, "row", None) or 'EC_FIELD(%s, %s, struct record, %s, "%s", NULL, "made up")' % (
            self.kind, self.flags, self.member, self.path)


KINDS = ["U8", "U16", "U32", "U64", "I64", "F64", "BOOL", "IP", "MAC", "TIME", "DURATION", "SIZE", "TEXT", "WIRE", "BYTES", "HEX",
         "ENUM", "NAME", "RECORD", "MAP", "TEXTS", "NUMBERS", "SECRET", "ABSENT"]
TEMPLATE = """#define EC_API_LEVEL 1
#include <stdlib.h>
#include <ecyber/plugin.h>
#include <ecyber/ext/http.h>

%(subs)s
struct record { struct ec_part part; %(members)s uint64_t serial; };
static const struct ec_row rows[] = {
    %(rows)s,
    EC_FIELD(U64, EC_R_COLUMN, struct record, serial, "%(serial)s", NULL, "which one it is"),
};
static const struct ec_record record = EC_RECORD_PART(struct record, rows);
static const struct ec_topic topic = { sizeof topic, EC_TOPIC_EVENT, "org.%(name)s/1", "%(root)s", &record, NULL, "made up" };
static const struct ec_metric metrics[] = { { sizeof metrics[0], EC_METRIC_COUNTER, "%(metric)s", "events", "made up" } };

struct plugin { const struct ec_host *host; const struct ec_http *http; void *http_self; uint32_t topic, name; uint64_t serial; };

static int32_t p_create(const struct ec_host *h, void **self)
{
    struct plugin *p = *self = calloc(1, sizeof *p);
    return p ? (p->host = h, EC_OK) : EC_ENOMEM;
}

static void tick(void *self, const void *state, uint64_t now)
{
    struct plugin *p = self;
    struct ec_build b;
    struct record *r;
    (void)state; (void)now;
    if (p->host->open(p->host, EC_PUB_MAILBOX, p->topic, &b) != EC_OK)
        return;
    if (!(r = ec_add(&b, p->topic, sizeof *r))) {
        p->host->discard(p->host, &b);
        return;
    }
    ec_head(&b)->ts_ns = p->host->now(p->host);
    r->serial = ++p->serial;
    %(fills)s
    p->host->publish(p->host, &b);
    p->host->metric(p->host, 0, 1);
}

struct answer { struct ec_part part; uint64_t serial; };
static const struct ec_row answer_rows[] = { EC_FIELD(U64, 0, struct answer, serial, "%(serial)s", NULL, "the last one") };
static const struct ec_record answer = EC_RECORD_PART(struct answer, answer_rows);

static int32_t run(void *self, const void *state, struct ec_req *req)
{
    struct plugin *p = self;
    struct answer a = { { sizeof a, sizeof a, 0, 0, 0, 0 }, p->serial };
    (void)state;
    return p->http->reply(req, 200, &a.part);
}
static const struct ec_route route = { .size = sizeof route, .method = "GET", .path = "/api/%(path)s", .opid = "%(opid)s",
    .summary = "made up", .roles = "admin", .reply = &answer, .run = run };

static int32_t p_setup(void *self)
{
    static const struct ec_timer timer = { sizeof timer, EC_TIMER_WALL, 200000000, tick };
    struct plugin *p = self;
    p->name = p->host->intern(p->host, %(intern)s);
    p->http = p->host->use(p->host, EC_HTTP_ID, &p->http_self);
    if (p->http)
        p->http->route(p->http_self, p->host, &route, p);
    if (p->host->topic(p->host, &topic, &p->topic))
        return EC_EINVAL;
    return p->host->timer(p->host, &timer);
}

static const struct ec_use use = { sizeof use, EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID };
static const struct ec_plugin plugin = { EC_PLUGIN_HEAD, .id = "org.%(name)s", .name = "%(name)s", .version = "1",
    .summary = "made up", .license = "MIT", .n_use = 1, .use_stride = sizeof use, .use = &use,
    .n_metric = 1, .metric_stride = sizeof metrics[0], .metric = metrics,
    .create = p_create, .setup = p_setup, .destroy = free };
EC_PLUGIN(plugin)
"""


class Plugin:
    def __init__(self):
        self.name, self.root, self.serial, self.metric, self.path, self.opid = (word() for _ in range(6))
        group = word() + "."
        flags = {"U32": "EC_R_COLUMN | EC_R_INDEX", "TEXT": "EC_R_COLUMN | EC_R_FTS", "IP": "EC_R_COLUMN | EC_R_INDEX",
                 "ENUM": "EC_R_COLUMN", "F64": "EC_R_COLUMN", "WIRE": "EC_R_COLUMN"}
        self.fields = [Field(kind, flags.get(kind, "0"), group if i % 4 == 0 else "") for i, kind in enumerate(KINDS)]
        random.shuffle(self.fields)

    def of(self, kind):
        return next(f for f in self.fields if f.kind == kind)

    def json(self):
        """The record without its serial."""
        out = {}
        for f in self.fields:
            if f.json is None:
                continue
            at = out
            *groups, last = f.path.split(".")
            for g in groups:
                at = at.setdefault(g, {})
            at[last] = f.json
        return out

    def code(self):
        return TEMPLATE % {
            "subs": "".join(f.sub for f in self.fields), "members": " ".join(f.declare for f in self.fields),
            "rows": ",\n    ".join(f.code() for f in self.fields), "fills": "\n    ".join(f.fill for f in self.fields),
            "intern": self.of("NAME").intern, **{k: getattr(self, k) for k in
                                                ("name", "root", "serial", "metric", "path", "opid")}}
