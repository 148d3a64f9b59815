#include "os_error.h"

#include <uv.h>

std::string ErrnoName(int error) {
  char name[32];
  return uv_err_name_r(uv_translate_sys_error(error), name, sizeof name);
}

Napi::Error OsError(Napi::Env env, int error, const char* syscall) {
  char text[128];
  uv_strerror_r(uv_translate_sys_error(error), text, sizeof text);
  const std::string code = ErrnoName(error);
  Napi::Error made = Napi::Error::New(env, code + ": " + text + ", " + syscall);
  made.Set("code", code);
  made.Set("syscall", syscall);
  return made;
}
