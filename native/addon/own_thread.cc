#include "own_thread.h"

#include <pthread.h>
#include <signal.h>
#include <uv.h>

#include <mutex>

#include "os_error.h"

namespace {

// Enough stack for name services; only touched pages count.
constexpr size_t kStackBytes = 1024 * 1024;

/**
 * A running errand. It has two owners: the thread until Run() has returned, and
 * the event loop (through `self_`) until its handle is closed.
 */
class Way : public std::enable_shared_from_this<Way> {
 public:
  Way(Napi::Env env, std::unique_ptr<Errand> errand)
      : env_(env), errand_(std::move(errand)) {}

  void Start() {
    uv_loop_t* loop = nullptr;
    if (napi_get_uv_event_loop(env_, &loop) != napi_ok) {
      throw Napi::Error::New(env_);
    }
    int error = -uv_async_init(loop, &async_, OnReturned);
    if (error != 0) throw OsError(env_, error, "eventfd");
    async_.data = this;
    self_ = shared_from_this();
    napi_add_async_cleanup_hook(env_, OnTeardown, this, &teardown_);
    error = StartThread();
    if (error != 0) {
      Close();
      throw OsError(env_, error, "pthread_create");
    }
  }

 private:
  static Way* From(void* data) { return static_cast<Way*>(data); }

  int StartThread() {
    auto share = std::make_unique<std::shared_ptr<Way>>(self_);
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0) return error;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    // The new thread inherits the mask: signals are the main thread's.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    error = pthread_create(&thread, &attributes, Body, share.get());
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
    if (error == 0) share.release();
    return error;
  }

  static void* Body(void* data) {
    const std::unique_ptr<std::shared_ptr<Way>> share(
        static_cast<std::shared_ptr<Way>*>(data));
    Way* way = share->get();
    way->errand_->Run();
    const std::lock_guard<std::mutex> lock(way->mutex_);
    if (!way->closed_) uv_async_send(&way->async_);
    return nullptr;
  }

  static void OnReturned(uv_async_t* async) {
    Way* way = From(async->data);
    const std::shared_ptr<Way> keep = way->self_;
    way->Close();
    const Napi::HandleScope handles(way->env_);
    try {
      // Code that waits for the promise continues when this scope ends.
      const Napi::AsyncContext context(way->env_, "pve-authenticator");
      const Napi::CallbackScope scope(way->env_, context);
      way->errand_->Settle(way->env_);
    } catch (const Napi::Error&) {
      // The environment is ending and runs no more JavaScript.
    }
  }

  static void OnTeardown(napi_async_cleanup_hook_handle, void* data) {
    From(data)->Close();
  }

  // Only on the event loop. Afterwards the thread no longer touches the handle.
  void Close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return;
    closed_ = true;
    uv_close(reinterpret_cast<uv_handle_t*>(&async_), OnClosed);
  }

  static void OnClosed(uv_handle_t* handle) {
    Way* way = From(handle->data);
    napi_remove_async_cleanup_hook(way->teardown_);
    way->self_.reset();
  }

  const Napi::Env env_;
  const std::unique_ptr<Errand> errand_;
  uv_async_t async_{};
  napi_async_cleanup_hook_handle teardown_ = nullptr;
  std::shared_ptr<Way> self_;
  std::mutex mutex_;
  bool closed_ = false;
};

}  // namespace

void RunOnOwnThread(Napi::Env env, std::unique_ptr<Errand> errand) {
  std::make_shared<Way>(env, std::move(errand))->Start();
}
