#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>

#include "exports.h"
#include "os_error.h"
#include "polled.h"

namespace {

constexpr int64_t kUsPerSecond = 1000000;
constexpr int64_t kNsPerUs = 1000;

/** Calls JavaScript once. */
class Alarm : public Polled {
 public:
  Alarm(int fd, Napi::Function on_ring)
      : Polled(on_ring.Env(), fd), on_ring_(Napi::Persistent(on_ring)) {}

 private:
  void OnReadable(int) override {
    Call(on_ring_, 0, nullptr);
    Close();
  }

  void Release() override { on_ring_.Reset(); }

  Napi::FunctionReference on_ring_;
};

}  // namespace

void RingAfter(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int64_t us = info[0].As<Napi::Number>().Int64Value();
  const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (fd < 0) throw OsError(env, errno, "timerfd_create");
  itimerspec when{};
  when.it_value.tv_sec = us / kUsPerSecond;
  when.it_value.tv_nsec = us % kUsPerSecond * kNsPerUs;
  if (timerfd_settime(fd, 0, &when, nullptr) != 0) {
    const int error = errno;
    close(fd);
    throw OsError(env, error, "timerfd_settime");
  }
  std::make_shared<Alarm>(fd, info[1].As<Napi::Function>())->Start();
}
