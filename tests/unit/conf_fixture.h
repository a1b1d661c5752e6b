/* A fixed set of sections, and a folder to write configurations to: for the tests and the fuzz target of core/conf. */
#ifndef ECYBER_TESTS_CONF_FIXTURE_H
#define ECYBER_TESTS_CONF_FIXTURE_H
#include "core/conf/conf.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

static const struct ec_row fixture_core_rows[] = {
    EC_OPTION(U32, 0, "workers", "2", 0, 64, "threads", "packet workers"),
    EC_OPTION_ENUM(EC_R_LIVE, "log.level", "debug,info,warning,error,critical", "info", "least level"),
    EC_OPTION(TEXT, EC_R_PATH, "log.file", NULL, 0, 0, NULL, "where the log goes"),
    EC_OPTION(TEXT, EC_R_LIST, "plugins", "[capture, traffic]", 1, 32, NULL, "what to load"),
    EC_OPTION(MAP, EC_R_LIVE, "log.levels", NULL, 0, 0, NULL, "by plugin"),
};
static const struct ec_row fixture_all_rows[] = {
    EC_OPTION(U8, 0, "u8", "1", 0, 0, NULL, ""),
    EC_OPTION(U16, EC_R_LIST, "ports", "[80, 443]", 1, 65535, NULL, ""),
    EC_OPTION(U64, 0, "u64", "18", 0, 0, NULL, ""),
    EC_OPTION(I64, 0, "i64", "-5", -10, 10, NULL, ""),
    EC_OPTION(F64, EC_R_LIVE, "ratio", "0.5", 0, 1, NULL, ""),
    EC_OPTION(BOOL, EC_R_LIVE, "on", "false", 0, 0, NULL, ""),
    EC_OPTION(IP, 0, "address", "127.0.0.1", 0, 0, NULL, ""),
    EC_OPTION(MAC, 0, "mac", NULL, 0, 0, NULL, ""),
    EC_OPTION(TIME, 0, "since", NULL, 0, 0, NULL, ""),
    EC_OPTION(DURATION, EC_R_LIVE, "timeout", "90s", 1000000000, 3600000000000, NULL, ""),
    EC_OPTION(SIZE, 0, "memory", "64MiB", 1048576, 1073741824, NULL, ""),
    EC_OPTION(BYTES, 0, "blob", NULL, 0, 0, NULL, ""),
    EC_OPTION(HEX, 0, "hex", NULL, 0, 0, NULL, ""),
    EC_OPTION(TEXT, EC_R_SECRET, "password", NULL, 8, 64, NULL, ""),
    EC_OPTION(U32, EC_R_SECRET, "pin", NULL, 1000, 9999, NULL, ""),
    EC_OPTION(MAP, 0, "vars", "{HOME_NET: any, EXTERNAL_NET: \"!$HOME_NET\"}", 0, 0, NULL, ""),
    EC_OPTION(TEXT, EC_R_LIST | EC_R_PATH, "rule_files", "[rules/a.rules]", 0, 0, NULL, ""),
    { EC_T_TEXT, EC_R_LIST, 0, 0, 0, "nets", NULL, "cidr", "[]", NULL, "", 0, 0 },
    { EC_T_TEXT, 0, 0, 0, 0, "mode", NULL, "octal", "0640", NULL, "", 0, 0 },
    EC_OPTION(TEXT, 0, "greeting", "\"hello: world\"", 0, 0, NULL, ""),
};
static const struct ec_record fixture_core = EC_RECORD_OPTIONS(fixture_core_rows);
static const struct ec_record fixture_all = EC_RECORD_OPTIONS(fixture_all_rows);
static const struct conf_section fixture_sections[] = {
    { "core", &fixture_core, false }, { "all", &fixture_all, false }, { "bare", NULL, false }, { "asleep", NULL, true },
};
#define FIXTURE_SECTIONS (uint32_t)(sizeof fixture_sections / sizeof fixture_sections[0])

#endif
