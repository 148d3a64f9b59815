#include <sys/file.h>

#include <cerrno>

#include "exports.h"
#include "os_error.h"

Napi::Value LockExclusively(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>().Int32Value();
  int rc;
  do {
    rc = flock(fd, LOCK_EX | LOCK_NB);
  } while (rc != 0 && errno == EINTR);
  if (rc != 0 && errno != EWOULDBLOCK) {
    throw OsError(info.Env(), errno, "flock");
  }
  return Napi::Boolean::New(info.Env(), rc == 0);
}
