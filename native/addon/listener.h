#pragma once

#include <napi.h>

/** Throws an OsError unless it is a Unix socket that somebody listens on. */
void CheckListener(Napi::Env env, int fd);
