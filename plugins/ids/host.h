/* host.h: the interfaces to the daemon and to the traffic engine, at the level that this plugin is written for. */
#ifndef IDS_HOST_H
#define IDS_HOST_H

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/source.h>
#include <ecyber/ext/traffic.h>
#include <ecyber/ext/hosts.h>
#include <ecyber/ext/keyword.h>
#include <ecyber/ext/list.h>

#endif
