#include "listener.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "os_error.h"

namespace {

int SocketOption(Napi::Env env, int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(fd, SOL_SOCKET, option, &value, &size) != 0) {
    throw OsError(env, errno, "getsockopt");
  }
  return value;
}

}  // namespace

void CheckListener(Napi::Env env, int fd) {
  if (SocketOption(env, fd, SO_DOMAIN) != AF_UNIX) {
    throw OsError(env, EAFNOSUPPORT, "accept4");
  }
  if (SocketOption(env, fd, SO_ACCEPTCONN) == 0) {
    throw OsError(env, EINVAL, "accept4");
  }
  // Children must not inherit the descriptor. Node sees to that when it
  // starts, but nowhere promises to.
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) throw OsError(env, errno, "fcntl");
}
