#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "exports.h"
#include "os_error.h"

namespace {

/** Names the step that failed, or returns nullptr; errno says why. */
const char* BindAndListen(int fd, const sockaddr_un& address, mode_t mode,
                          int backlog) {
  // Linux gives the file that bind() makes the mode of the socket's own inode,
  // less the umask: so it is never wider than asked for, and the umask, which
  // all threads share, need not be touched.
  if (fchmod(fd, mode) != 0) return "fchmod";
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
      0) {
    return "bind";
  }
  const char* failed = nullptr;
  // Restores the bits that the umask removed. Nobody can connect before
  // listen().
  if (fchmodat(AT_FDCWD, address.sun_path, mode, AT_SYMLINK_NOFOLLOW) != 0) {
    failed = "chmod";
  } else if (listen(fd, backlog) != 0) {
    failed = "listen";
  }
  if (failed != nullptr) {
    const int error = errno;
    unlink(address.sun_path);
    errno = error;
  }
  return failed;
}

}  // namespace

Napi::Value ListenOn(const Napi::CallbackInfo& info) {
  const std::string path = info[0].As<Napi::String>();
  const mode_t mode = info[1].As<Napi::Number>().Uint32Value();
  const int backlog = info[2].As<Napi::Number>().Int32Value();

  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw OsError(info.Env(), ENAMETOOLONG, "bind");
  }
  path.copy(address.sun_path, path.size());

  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) throw OsError(info.Env(), errno, "socket");
  if (const char* failed = BindAndListen(fd, address, mode, backlog)) {
    const int error = errno;
    close(fd);
    throw OsError(info.Env(), error, failed);
  }
  return Napi::Number::New(info.Env(), fd);
}
