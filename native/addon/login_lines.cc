#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "exports.h"
#include "lines.h"
#include "listener.h"
#include "os_error.h"
#include "polled.h"

namespace {

constexpr size_t kNumbers = sizeof(LineReport) / sizeof(uint32_t);

/** Calls JavaScript once for all events of one moment. */
class LoginLines : public Polled {
 public:
  LoginLines(int epoll, Napi::Uint8Array arena, Napi::Uint32Array reports,
             Napi::Function on_batch)
      : Polled(on_batch.Env(), epoll),
        arena_(Napi::Persistent(arena)),
        reports_(Napi::Persistent(reports)),
        on_batch_(Napi::Persistent(on_batch)),
        lines_(epoll, arena.Data(),
               reinterpret_cast<LineReport*>(reports.Data())) {}

  Lines& lines() { return lines_; }

 private:
  void OnReadable(int error) override {
    const size_t count = error == 0 ? lines_.Collect() : 0;
    if (count > 0) {
      napi_value argument = Napi::Number::New(Env(), static_cast<double>(count));
      Call(on_batch_, 1, &argument);
      lines_.Wipe();
    }
    Resume();
  }

  void Release() override {
    lines_.Close();
    on_batch_.Reset();
    arena_.Reset();
    reports_.Reset();
  }

  Napi::Reference<Napi::Uint8Array> arena_;
  Napi::Reference<Napi::Uint32Array> reports_;
  Napi::FunctionReference on_batch_;
  Lines lines_;
};

uint32_t NumberAt(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::Number>().Uint32Value();
}

void AddCalls(Napi::Object object, const std::shared_ptr<LoginLines>& login) {
  const Napi::Env env = object.Env();
  const auto add = [&](const char* name, auto call) {
    object.Set(name, Napi::Function::New(env, call, name));
  };
  add("listen", [login](const Napi::CallbackInfo& info) {
    const int fd = info[0].As<Napi::Number>().Int32Value();
    CheckListener(info.Env(), fd);
    if (!login->lines().Listen(fd, NumberAt(info, 1))) {
      throw OsError(info.Env(), errno, "epoll_ctl");
    }
  });
  add("pause", [login](const Napi::CallbackInfo& info) {
    login->lines().Pause(NumberAt(info, 0));
  });
  add("resume", [login](const Napi::CallbackInfo& info) {
    login->lines().Resume(NumberAt(info, 0));
  });
  add("send", [login](const Napi::CallbackInfo& info) -> Napi::Value {
    const auto bytes = info[2].As<Napi::Uint8Array>();
    return Napi::Boolean::New(
        info.Env(), login->lines().Send(NumberAt(info, 0), NumberAt(info, 1),
                                        bytes.Data(), bytes.ByteLength()));
  });
  add("hangUp", [login](const Napi::CallbackInfo& info) {
    login->lines().HangUp(NumberAt(info, 0), NumberAt(info, 1));
  });
  add("close", [login](const Napi::CallbackInfo&) { login->Close(); });
}

}  // namespace

Napi::Value OpenLoginLines(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto arena = Napi::Uint8Array::New(env, kArenaBytes);
  auto reports = Napi::Uint32Array::New(env, kReports * kNumbers);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) throw OsError(env, errno, "epoll_create1");
  auto login = std::make_shared<LoginLines>(epoll, arena, reports,
                                            info[0].As<Napi::Function>());
  try {
    login->Start();
  } catch (...) {
    close(epoll);
    throw;
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("arena", arena);
  object.Set("reports", reports);
  AddCalls(object, login);
  return object;
}
