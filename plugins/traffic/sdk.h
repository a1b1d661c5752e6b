/* sdk.h: the public headers that the engine speaks. Only publish.c, inspect.c, options.c,
 * registry.c and traffic.c call the host. */
#ifndef TRAFFIC_SDK_H
#define TRAFFIC_SDK_H
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/stage.h>
#include <ecyber/ext/traffic.h>
#endif
