#include <node_api.h>

/* Defines the class Streams (streams.c) on the addon's exports. */
void define_streams(napi_env env, napi_value exports);
