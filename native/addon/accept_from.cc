#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "exports.h"
#include "listener.h"
#include "os_error.h"
#include "polled.h"

namespace {

// A burst must not block the event loop: connections that are left
// in the backlog wakes us again at the next turn.
constexpr int kAcceptsPerWakeup = 32;

/** Takes connections from a listening socket. */
class Acceptor : public Polled {
 public:
  Acceptor(int fd, Napi::Function on_connection, Napi::Function on_error)
      : Polled(on_connection.Env(), fd),
        on_connection_(Napi::Persistent(on_connection)),
        on_error_(Napi::Persistent(on_error)) {}

 private:
  void OnReadable(int error) override {
    if (error != 0) return Report(error);
    // A callback may pause or close us between two connections.
    for (int i = 0; i < kAcceptsPerWakeup && polling(); ++i) {
      const int connection =
          accept4(fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (connection >= 0) {
        HandOver(connection);
      } else if (errno != EINTR && errno != ECONNABORTED) {
        if (errno != EAGAIN) Report(errno);
        return;
      }
    }
  }

  void Release() override {
    on_connection_.Reset();
    on_error_.Reset();
  }

  void HandOver(int connection) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
      const int error = errno;
      close(connection);
      return Report(error);
    }
    napi_value arguments[2];
    // Fails only when the environment is being torn down and runs no more
    // JavaScript: then nobody else would close the connection.
    if (napi_create_int32(Env(), connection, &arguments[0]) != napi_ok ||
        !MakePeer(peer, &arguments[1])) {
      close(connection);
      return;
    }
    Call(on_connection_, 2, arguments);
  }

  bool MakePeer(const ucred& credentials, napi_value* peer) const {
    return napi_create_object(Env(), peer) == napi_ok &&
           SetNumber(*peer, "pid", credentials.pid) &&
           SetNumber(*peer, "uid", credentials.uid) &&
           SetNumber(*peer, "gid", credentials.gid);
  }

  bool SetNumber(napi_value object, const char* name, double number) const {
    napi_value value;
    return napi_create_double(Env(), number, &value) == napi_ok &&
           napi_set_named_property(Env(), object, name, value) == napi_ok;
  }

  void Report(int error) {
    napi_value code = Napi::String::New(Env(), ErrnoName(error));
    Call(on_error_, 1, &code);
  }

  Napi::FunctionReference on_connection_;
  Napi::FunctionReference on_error_;
};

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
