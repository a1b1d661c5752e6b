/* layout.c: the ABI gate: sizes and offsets of everything that crosses the line, for both data models. */
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/alert.h>
#include <ecyber/ext/auth.h>
#include <ecyber/ext/capture.h>
#include <ecyber/ext/captures.h>
#include <ecyber/ext/daemon.h>
#include <ecyber/ext/enrich.h>
#include <ecyber/ext/geoip.h>
#include <ecyber/ext/helper.h>
#include <ecyber/ext/hosts.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/jobs.h>
#include <ecyber/ext/json.h>
#include <ecyber/ext/keyword.h>
#include <ecyber/ext/list.h>
#include <ecyber/ext/respond.h>
#include <ecyber/ext/socketio.h>
#include <ecyber/ext/source.h>
#include <ecyber/ext/stage.h>
#include <ecyber/ext/store.h>
#include <ecyber/ext/traffic.h>

#ifdef __cplusplus
# define ASSERT static_assert
#else
# define ASSERT _Static_assert
#endif
#define SIZE(type, n) ASSERT(sizeof(type) == (n), "size of " #type);
#define AT(type, member, n) ASSERT(offsetof(type, member) == (n), #member " in " #type);

#if UINTPTR_MAX == UINT64_MAX
# include "layout_lp64.h"
#else
# include "layout_ilp32.h"
#endif

extern int layout_is_checked;
int layout_is_checked = 1;
