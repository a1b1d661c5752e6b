/* sdk.h: the level of the plugin ABI that this plugin was written against, and the extensions that it meets. */
#ifndef SOCKETIO_SDK_H
#define SOCKETIO_SDK_H
#ifndef EC_API_LEVEL
# define EC_API_LEVEL 1
#endif
#include <ecyber/plugin.h>
#include <ecyber/ext/auth.h>
#include <ecyber/ext/capture.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/json.h>
#include <ecyber/ext/socketio.h>
#include <ecyber/ext/store.h>

#endif
