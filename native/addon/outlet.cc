#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "exports.h"
#include "os_error.h"

namespace {

constexpr time_t kOthersWaitSeconds = 1;

/**
 * Writes to standard error without ever waiting for its reader. Its flags stay
 * unchanged, because O_NONBLOCK would apply to everybody who shares it.
 */
class Outlet : public Napi::ObjectWrap<Outlet> {
 public:
  static Napi::Function Class(Napi::Env env) {
    return DefineClass(env, "Outlet", {InstanceMethod<&Outlet::Write>("write")});
  }

  explicit Outlet(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Outlet>(info),
        fd_(info[0].As<Napi::Number>().Int32Value()) {
    struct stat status;
    if (fstat(fd_, &status) != 0) return;
    is_socket_ = S_ISSOCK(status.st_mode);
    is_pipe_ = S_ISFIFO(status.st_mode);
    if (is_socket_) {
      // What Node and V8 write when they die does not come through here.
      const timeval wait{kOthersWaitSeconds, 0};
      setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    }
    // A pipe of our own, from which bytes go to the other without waiting.
    if (is_pipe_ && pipe2(own_, O_CLOEXEC | O_NONBLOCK) != 0) is_pipe_ = false;
  }

  ~Outlet() override {
    for (const int fd : own_) {
      if (fd >= 0) close(fd);
    }
  }

 private:
  /** The number of bytes taken; 0: none now; -1: there is no reader. */
  Napi::Value Write(const Napi::CallbackInfo& info) {
    const auto bytes = info[0].As<Napi::Uint8Array>();
    ssize_t n;
    do {
      n = is_socket_ ? send(fd_, bytes.Data(), bytes.ByteLength(),
                            MSG_DONTWAIT | MSG_NOSIGNAL)
          : is_pipe_ ? ThroughPipe(bytes.Data(), bytes.ByteLength())
                     : WhenReady(bytes.Data(), bytes.ByteLength());
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == ENOBUFS)) n = 0;
    return Napi::Number::New(info.Env(), static_cast<double>(n));
  }

  /**
   * write(2) waits if the pipe is full, and somebody may fill it after a
   * check. Only splice(2) can be told not to wait.
   */
  ssize_t ThroughPipe(const void* bytes, size_t size) {
    const ssize_t in = write(own_[1], bytes, std::min<size_t>(size, PIPE_BUF));
    if (in < 0) return -1;
    ssize_t out = 0;
    while (out < in) {
      const ssize_t n = splice(own_[0], nullptr, fd_, nullptr,
                               static_cast<size_t>(in - out),
                               SPLICE_F_NONBLOCK);
      if (n > 0) {
        out += n;
        continue;
      }
      const int error = errno;
      Discard(static_cast<size_t>(in - out));
      errno = n == 0 ? EPIPE : error;
      return out > 0 ? out : -1;
    }
    return out;
  }

  void Discard(size_t size) {
    char bytes[PIPE_BUF];
    while (size > 0) {
      const ssize_t n = read(own_[0], bytes, std::min(size, sizeof bytes));
      if (n <= 0) return;
      size -= static_cast<size_t>(n);
    }
  }

  /** A file is always ready; a terminal is not while it is stopped. */
  ssize_t WhenReady(const void* bytes, size_t size) const {
    pollfd target{fd_, POLLOUT, 0};
    const int ready = poll(&target, 1, 0);
    if (ready < 0) return -1;
    if (ready == 0) {
      errno = EAGAIN;
      return -1;
    }
    return write(fd_, bytes, std::min<size_t>(size, PIPE_BUF));
  }

  const int fd_;
  bool is_socket_ = false;
  bool is_pipe_ = false;
  int own_[2] = {-1, -1};
};

}  // namespace

Napi::Function OutletClass(Napi::Env env) { return Outlet::Class(env); }
