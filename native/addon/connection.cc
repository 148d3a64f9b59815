#include <sys/socket.h>

#include <cerrno>

#include "exports.h"
#include "polled.h"

namespace {

/** An accepted connection: read and written where JavaScript says so. */
class Line : public Polled {
 public:
  Line(int fd, Napi::Function on_readable)
      : Polled(on_readable.Env(), fd),
        on_readable_(Napi::Persistent(on_readable)) {}

  /** Bytes that came; 0 at the end, or after an error; -1: none yet. */
  ssize_t Receive(void* bytes, size_t size) const {
    if (closed()) return 0;
    ssize_t n;
    do {
      n = recv(fd(), bytes, size, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n < 0 && errno != EAGAIN ? 0 : n;
  }

  /** Whether everything was taken. */
  bool Send(const void* bytes, size_t size) const {
    if (closed()) return false;
    ssize_t n;
    do {
      n = send(fd(), bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n >= 0 && static_cast<size_t>(n) == size;
  }

 private:
  // Who reads finds the error, but behind what came before it: a peer that
  // hung up without reading leaves both.
  void OnReadable(int) override {
    Call(on_readable_, 0, nullptr);
    Resume();
  }
  void Release() override { on_readable_.Reset(); }

  Napi::FunctionReference on_readable_;
};

/** What JavaScript has of it. An open line holds the callback, not this. */
class Connection : public Napi::ObjectWrap<Connection> {
 public:
  static Napi::Function Class(Napi::Env env) {
    return DefineClass(env, "Connection",
                       {InstanceMethod<&Connection::Receive>("receive"),
                        InstanceMethod<&Connection::Send>("send"),
                        InstanceMethod<&Connection::Close>("close")});
  }

  explicit Connection(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Connection>(info),
        line_(std::make_shared<Line>(info[0].As<Napi::Number>().Int32Value(),
                                     info[1].As<Napi::Function>())) {
    line_->Start();
  }

 private:
  Napi::Value Receive(const Napi::CallbackInfo& info) {
    auto into = info[0].As<Napi::Uint8Array>();
    const ssize_t n = line_->Receive(into.Data(), into.ByteLength());
    return n < 0 ? info.Env().Undefined()
                 : Napi::Number::New(info.Env(), static_cast<double>(n));
  }

  Napi::Value Send(const Napi::CallbackInfo& info) {
    const auto bytes = info[0].As<Napi::Uint8Array>();
    return Napi::Boolean::New(info.Env(),
                              line_->Send(bytes.Data(), bytes.ByteLength()));
  }

  void Close(const Napi::CallbackInfo&) { line_->Close(); }

  const std::shared_ptr<Line> line_;
};

}  // namespace

Napi::Function ConnectionClass(Napi::Env env) { return Connection::Class(env); }
