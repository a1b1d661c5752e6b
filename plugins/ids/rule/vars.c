#include "plugins/ids/rule/vars.h"

#include <string.h>

bool vars_set(struct vars *v, const char *name, const char *value)
{
    for (size_t i = 0; i < v->n; i++)
        if (!strcmp(v->v[i].name, name)) {
            v->v[i].value = value;
            return true;
        }
    if (v->n == VARS_MAX)
        return false;
    v->v[v->n].name = name;
    v->v[v->n++].value = value;
    return true;
}

void vars_defaults(struct vars *v)
{
    static const char *const def[][2] = {
        { "HOME_NET", "[192.168.0.0/16,10.0.0.0/8,172.16.0.0/12]" },
        { "EXTERNAL_NET", "!$HOME_NET" },
        { "HTTP_SERVERS", "$HOME_NET" }, { "SMTP_SERVERS", "$HOME_NET" }, { "SQL_SERVERS", "$HOME_NET" },
        { "DNS_SERVERS", "$HOME_NET" }, { "TELNET_SERVERS", "$HOME_NET" }, { "AIM_SERVERS", "$EXTERNAL_NET" },
        { "DC_SERVERS", "$HOME_NET" }, { "DNP3_SERVER", "$HOME_NET" }, { "DNP3_CLIENT", "$HOME_NET" },
        { "MODBUS_CLIENT", "$HOME_NET" }, { "MODBUS_SERVER", "$HOME_NET" }, { "ENIP_CLIENT", "$HOME_NET" },
        { "ENIP_SERVER", "$HOME_NET" }, { "SSH_SERVERS", "$HOME_NET" }, { "FTP_SERVERS", "$HOME_NET" },
        { "SIP_SERVERS", "$HOME_NET" },
        { "HTTP_PORTS", "80" }, { "SHELLCODE_PORTS", "!80" }, { "ORACLE_PORTS", "1521" }, { "SSH_PORTS", "22" },
        { "DNP3_PORTS", "20000" }, { "MODBUS_PORTS", "502" }, { "FILE_DATA_PORTS", "[$HTTP_PORTS,110,143]" },
        { "FTP_PORTS", "21" }, { "GENEVE_PORTS", "6081" }, { "VXLAN_PORTS", "4789" }, { "TEREDO_PORTS", "3544" },
        { "SIP_PORTS", "[5060,5061]" },
    };

    v->n = 0;
    for (size_t i = 0; i < sizeof def / sizeof def[0]; i++)
        vars_set(v, def[i][0], def[i][1]);
}

const char *vars_get(const struct vars *v, struct token name)
{
    for (size_t i = 0; i < v->n; i++)
        if (strlen(v->v[i].name) == name.len && !memcmp(v->v[i].name, name.s, name.len))
            return v->v[i].value;
    return NULL;
}
