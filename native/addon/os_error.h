#pragma once

#include <napi.h>

#include <string>

/** The name of an errno value: "EACCES". */
std::string ErrnoName(int error);

/** An Error in Node's form: `code` "EACCES", `syscall` "bind". */
Napi::Error OsError(Napi::Env env, int error, const char* syscall);
