/* sdk.h: what the scoring takes from the SDK. */
#ifndef ML_SDK_H
#define ML_SDK_H

#define EC_API_LEVEL 1
#include <ecyber/ext/hosts.h>
#include <ecyber/ext/traffic.h>

#endif
