#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <memory>

#include "exports.h"
#include "os_error.h"

namespace {

// A burst must not keep the event loop from its other work: whatever is left
// in the backlog wakes us again at the next turn.
constexpr int kAcceptsPerWakeup = 32;

/**
 * Takes connections from a listening socket. Its uv handle must outlive
 * uv_close() until the callback of that, so it holds itself until then.
 */
class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(int fd, Napi::Function on_connection, Napi::Function on_error)
      : env_(on_connection.Env()),
        fd_(fd),
        on_connection_(Napi::Persistent(on_connection)),
        on_error_(Napi::Persistent(on_error)) {}

  void Start() {
    uv_loop_t* loop = nullptr;
    if (napi_get_uv_event_loop(env_, &loop) != napi_ok) {
      throw Napi::Error::New(env_);
    }
    const int rc = uv_poll_init(loop, &poll_, fd_);
    if (rc != 0) throw OsError(env_, -rc, "epoll_ctl");
    poll_.data = this;
    self_ = shared_from_this();
    // The end of a worker thread is an end of ours too.
    napi_add_async_cleanup_hook(env_, OnTeardown, this, &teardown_);
    Resume();
  }

  void Pause() {
    polling_ = false;
    if (!closed_) uv_poll_stop(&poll_);
  }

  void Resume() {
    if (closed_ || polling_) return;
    const int rc = uv_poll_start(&poll_, UV_READABLE, OnReadable);
    if (rc != 0) throw OsError(env_, -rc, "epoll_ctl");
    polling_ = true;
  }

  void Close() {
    if (closed_) return;
    Pause();
    closed_ = true;
    on_connection_.Reset();
    on_error_.Reset();
    uv_close(reinterpret_cast<uv_handle_t*>(&poll_), OnClosed);
    close(fd_);
  }

 private:
  static Acceptor* From(void* data) { return static_cast<Acceptor*>(data); }

  static void OnReadable(uv_poll_t* poll, int status, int) {
    From(poll->data)->AcceptSome(status);
  }

  static void OnTeardown(napi_async_cleanup_hook_handle, void* data) {
    From(data)->Close();
  }

  static void OnClosed(uv_handle_t* handle) {
    Acceptor* acceptor = From(handle->data);
    napi_remove_async_cleanup_hook(acceptor->teardown_);
    acceptor->self_.reset();
  }

  void AcceptSome(int status) {
    const Napi::HandleScope scope(env_);
    if (status < 0) {  // libuv has stopped polling
      polling_ = false;
      return Report(-status);
    }
    // A callback may pause or close us between two connections.
    for (int i = 0; i < kAcceptsPerWakeup && polling_; ++i) {
      const int fd =
          accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd >= 0) {
        HandOver(fd);
      } else if (errno != EINTR && errno != ECONNABORTED) {
        if (errno != EAGAIN) Report(errno);
        return;
      }
    }
  }

  void HandOver(int fd) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
      const int error = errno;
      close(fd);
      return Report(error);
    }
    napi_value arguments[2];
    // Fails only when the environment is being torn down and runs no more
    // JavaScript: then nobody else would close the connection.
    if (napi_create_int32(env_, fd, &arguments[0]) != napi_ok ||
        !MakePeer(credentials, &arguments[1])) {
      close(fd);
      return;
    }
    Call(on_connection_, 2, arguments);
  }

  bool MakePeer(const ucred& credentials, napi_value* peer) const {
    return napi_create_object(env_, peer) == napi_ok &&
           SetNumber(*peer, "pid", credentials.pid) &&
           SetNumber(*peer, "uid", credentials.uid) &&
           SetNumber(*peer, "gid", credentials.gid);
  }

  bool SetNumber(napi_value object, const char* name, double number) const {
    napi_value value;
    return napi_create_double(env_, number, &value) == napi_ok &&
           napi_set_named_property(env_, object, name, value) == napi_ok;
  }

  void Report(int error) {
    napi_value code = Napi::String::New(env_, ErrnoName(error));
    Call(on_error_, 1, &code);
  }

  void Call(const Napi::FunctionReference& callback, size_t count,
            const napi_value* arguments) const {
    const napi_status status =
        napi_make_callback(env_, nullptr, env_.Global(), callback.Value(),
                           count, arguments, nullptr);
    napi_value thrown;
    if (status == napi_pending_exception &&
        napi_get_and_clear_last_exception(env_, &thrown) == napi_ok) {
      napi_fatal_exception(env_, thrown);  // becomes an 'uncaughtException'
    }
  }

  const Napi::Env env_;
  const int fd_;
  Napi::FunctionReference on_connection_;
  Napi::FunctionReference on_error_;
  uv_poll_t poll_{};
  napi_async_cleanup_hook_handle teardown_ = nullptr;
  std::shared_ptr<Acceptor> self_;
  bool polling_ = false;
  bool closed_ = false;
};

int SocketOption(Napi::Env env, int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(fd, SOL_SOCKET, option, &value, &size) != 0) {
    throw OsError(env, errno, "getsockopt");
  }
  return value;
}

void CheckListener(Napi::Env env, int fd) {
  if (SocketOption(env, fd, SO_DOMAIN) != AF_UNIX) {
    throw OsError(env, EAFNOSUPPORT, "accept4");
  }
  if (SocketOption(env, fd, SO_ACCEPTCONN) == 0) {
    throw OsError(env, EINVAL, "accept4");
  }
  // An inherited one must not go on to our children. Node sees to that when it
  // starts, but nowhere promises to.
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) throw OsError(env, errno, "fcntl");
}

}  // namespace

Napi::Value AcceptFrom(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = info[0].As<Napi::Number>().Int32Value();
  CheckListener(env, fd);
  auto acceptor = std::make_shared<Acceptor>(fd, info[1].As<Napi::Function>(),
                                             info[2].As<Napi::Function>());
  acceptor->Start();

  const auto control = [env](auto act) {
    return Napi::Function::New(env, [act](const Napi::CallbackInfo&) { act(); });
  };
  Napi::Object controls = Napi::Object::New(env);
  controls.Set("pause", control([acceptor] { acceptor->Pause(); }));
  controls.Set("resume", control([acceptor] { acceptor->Resume(); }));
  controls.Set("close", control([acceptor] { acceptor->Close(); }));
  return controls;
}
