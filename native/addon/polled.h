#pragma once

#include <napi.h>
#include <uv.h>

#include <memory>

/**
 * A descriptor that the event loop watches for input. Its uv handle must live
 * until the callback of uv_close(), so the object keeps itself alive until
 * then.
 */
class Polled : public std::enable_shared_from_this<Polled> {
 public:
  virtual ~Polled() = default;

  /**
   * Starts to watch. If it throws an OsError, it does not own the descriptor.
   */
  void Start();
  /** A paused one does not keep the event loop alive. */
  void Pause();
  void Resume();
  /** Stops for good and closes the descriptor. A second call does nothing. */
  void Close();

 protected:
  Polled(Napi::Env env, int fd) : env_(env), fd_(fd) {}

  /** There is something to read; or an error, after which it is paused. */
  virtual void OnReadable(int error) = 0;
  /** Releases the JavaScript references. Nothing is called afterwards. */
  virtual void Release() = 0;

  /** Calls JavaScript from the event loop. */
  void Call(const Napi::FunctionReference& callback, size_t count,
            const napi_value* arguments) const;

  Napi::Env Env() const { return env_; }
  int fd() const { return fd_; }
  bool polling() const { return polling_; }
  bool closed() const { return closed_; }

 private:
  static void OnPoll(uv_poll_t* poll, int status, int events);
  static void OnTeardown(napi_async_cleanup_hook_handle hook, void* data);
  static void OnClosed(uv_handle_t* handle);

  const Napi::Env env_;
  const int fd_;
  uv_poll_t poll_{};
  napi_async_cleanup_hook_handle teardown_ = nullptr;
  std::shared_ptr<Polled> self_;
  bool polling_ = false;
  bool closed_ = false;
};
