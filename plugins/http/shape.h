/* shape.h: JSON Schemas of what the daemon itself answers (ec.daemon/1), for the document. */
#ifndef HTTP_SHAPE_H
#define HTTP_SHAPE_H

#define SHAPE_COUNT "{\"type\":\"integer\",\"minimum\":0}"
#define SHAPE_TEXT "{\"type\":\"string\"}"
#define SHAPE_NULLABLE "{\"type\":[\"string\",\"null\"]}"
#define SHAPE_YES "{\"type\":\"boolean\"}"
#define SHAPE_COUNTS "{\"type\":\"object\",\"additionalProperties\":" SHAPE_COUNT "}"
#define SHAPE_NUMBERS "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}"
#define SHAPE_LIST(of) "{\"type\":\"array\",\"items\":" of "}"
#define SHAPE_OBJECT(members, needed) \
    "{\"type\":\"object\",\"properties\":{" members "},\"required\":[" needed "]}"

#define SHAPE_PLUGIN_MEMBERS \
    "\"name\":" SHAPE_TEXT ",\"version\":" SHAPE_TEXT ",\"status\":" SHAPE_TEXT ",\"why\":" SHAPE_NULLABLE \
    ",\"summary\":" SHAPE_TEXT ",\"file\":" SHAPE_TEXT
#define SHAPE_PLUGIN_NEEDED "\"name\",\"version\",\"status\",\"why\",\"summary\",\"file\""
#define SHAPE_PLUGINS SHAPE_LIST(SHAPE_OBJECT(SHAPE_PLUGIN_MEMBERS, SHAPE_PLUGIN_NEEDED))
#define SHAPE_USE \
    SHAPE_OBJECT("\"id\":" SHAPE_TEXT ",\"when\":" SHAPE_TEXT ",\"optional\":" SHAPE_YES \
                 ",\"provider\":" SHAPE_NULLABLE, \
                 "\"id\",\"when\",\"optional\",\"provider\"")
#define SHAPE_OFFER SHAPE_OBJECT("\"id\":" SHAPE_TEXT ",\"kind\":" SHAPE_TEXT, "\"id\",\"kind\"")
#define SHAPE_PLUGIN \
    SHAPE_OBJECT(SHAPE_PLUGIN_MEMBERS ",\"id\":" SHAPE_TEXT ",\"license\":" SHAPE_NULLABLE ",\"url\":" SHAPE_NULLABLE \
                 ",\"abi\":" SHAPE_COUNT ",\"level\":" SHAPE_COUNT ",\"uses\":" SHAPE_LIST(SHAPE_USE) \
                 ",\"offers\":" SHAPE_LIST(SHAPE_OFFER) ",\"metrics\":" SHAPE_NUMBERS, SHAPE_PLUGIN_NEEDED)

/* publisher: a worker's number or "mailbox"; a row without plugin is what the bus itself handled. */
#define SHAPE_EVENTS \
    SHAPE_LIST(SHAPE_OBJECT("\"publisher\":{\"anyOf\":[" SHAPE_COUNT "," SHAPE_TEXT "]},\"plugin\":" SHAPE_NULLABLE \
                            ",\"topic\":" SHAPE_NULLABLE ",\"in\":" SHAPE_COUNT ",\"out\":" SHAPE_COUNT \
                            ",\"queued\":" SHAPE_COUNT ",\"dropped\":" SHAPE_COUNTS ",\"gaps\":" SHAPE_COUNT, \
                            "\"publisher\",\"plugin\",\"topic\",\"in\",\"out\",\"queued\",\"dropped\",\"gaps\""))
#define SHAPE_PACKETS \
    SHAPE_LIST(SHAPE_OBJECT("\"worker\":" SHAPE_COUNT ",\"status\":" SHAPE_TEXT ",\"source\":" SHAPE_COUNTS \
                            ",\"fetched\":" SHAPE_COUNT ",\"finished\":" SHAPE_COUNT \
                 ",\"dropped_by_verdict\":" SHAPE_COUNT, \
                            "\"worker\",\"source\",\"fetched\",\"finished\""))
/* reason: behind "dropped." in the metric's name. */
#define SHAPE_LOSSES \
    SHAPE_LIST(SHAPE_OBJECT("\"plugin\":" SHAPE_TEXT ",\"reason\":" SHAPE_TEXT ",\"n\":" SHAPE_COUNT \
                            ",\"unit\":" SHAPE_NULLABLE ",\"why\":" SHAPE_NULLABLE, "\"plugin\",\"reason\",\"n\""))
#define SHAPE_DROPS \
    SHAPE_OBJECT("\"exact\":" SHAPE_YES ",\"events\":" SHAPE_EVENTS ",\"packets\":" SHAPE_PACKETS \
                 ",\"losses\":" SHAPE_LOSSES ",\"advice\":" SHAPE_LIST(SHAPE_TEXT), \
                 "\"exact\",\"events\",\"packets\",\"losses\",\"advice\"")
/* By section, then by option: value is whatever the option holds. */
#define SHAPE_CONFIG \
    "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"object\",\"additionalProperties\":" \
    SHAPE_OBJECT("\"value\":{},\"from\":" SHAPE_NULLABLE ",\"live\":" SHAPE_YES, "\"value\",\"from\",\"live\"") "}}"
#define SHAPE_RELOAD \
    SHAPE_OBJECT("\"running\":" SHAPE_YES ",\"done\":" SHAPE_COUNT ",\"failed\":" SHAPE_COUNT \
                 ",\"why\":" SHAPE_NULLABLE, \
                 "\"running\",\"done\",\"failed\",\"why\"")
#define SHAPE_STATS \
    SHAPE_OBJECT("\"version\":" SHAPE_TEXT ",\"pid\":" SHAPE_COUNT ",\"uptime_s\":" SHAPE_COUNT \
                 ",\"generation\":" SHAPE_COUNT \
                 ",\"workers\":" SHAPE_COUNT ",\"replay\":" SHAPE_NULLABLE ",\"degraded\":" SHAPE_YES \
                 ",\"plugins\":" SHAPE_PLUGINS ",\"packets\":" SHAPE_PACKETS ",\"events\":" SHAPE_EVENTS \
                 ",\"metrics\":{\"type\":\"object\",\"additionalProperties\":" SHAPE_NUMBERS "}" \
                 ",\"reload\":" SHAPE_RELOAD, \
                 "\"version\",\"pid\",\"uptime_s\",\"generation\",\"workers\",\"degraded\",\"plugins\",\"packets\"," \
                 "\"events\",\"metrics\",\"reload\"")
#define SHAPE_INFO \
    SHAPE_OBJECT("\"product\":" SHAPE_TEXT ",\"version\":" SHAPE_TEXT ",\"hostname\":" SHAPE_TEXT \
                 ",\"kernel\":" SHAPE_TEXT \
                 ",\"machine\":" SHAPE_TEXT ",\"pid\":" SHAPE_COUNT ",\"user\":" SHAPE_COUNT \
                 ",\"workers\":" SHAPE_COUNT \
                 ",\"processors\":" SHAPE_COUNT, \
                 "\"product\",\"version\",\"pid\",\"user\",\"workers\",\"processors\"")
#define SHAPE_STATUS SHAPE_OBJECT("\"status\":" SHAPE_TEXT, "\"status\"")
#define SHAPE_DOCUMENT "{\"type\":\"object\",\"additionalProperties\":true}"

#endif
