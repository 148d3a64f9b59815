#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>

#include "exports.h"
#include "os_error.h"

void HardenProcess(const Napi::CallbackInfo& info) {
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    throw OsError(info.Env(), errno, "prctl");
  }
  const rlimit no_core{0, 0};
  if (setrlimit(RLIMIT_CORE, &no_core) != 0) {
    throw OsError(info.Env(), errno, "setrlimit");
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    throw OsError(info.Env(), errno, "prctl");
  }
}
