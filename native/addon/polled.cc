#include "polled.h"

#include <unistd.h>

#include "os_error.h"

namespace {

Polled* From(void* data) { return static_cast<Polled*>(data); }

}  // namespace

void Polled::Start() {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env_, &loop) != napi_ok) {
    throw Napi::Error::New(env_);
  }
  const int rc = uv_poll_init(loop, &poll_, fd_);
  if (rc != 0) throw OsError(env_, -rc, "epoll_ctl");
  poll_.data = this;
  self_ = shared_from_this();
  // This also ends with its worker thread.
  napi_add_async_cleanup_hook(env_, OnTeardown, this, &teardown_);
  Resume();
}

void Polled::Pause() {
  polling_ = false;
  if (!closed_) uv_poll_stop(&poll_);
}

void Polled::Resume() {
  if (closed_ || polling_) return;
  const int rc = uv_poll_start(&poll_, UV_READABLE, OnPoll);
  if (rc != 0) throw OsError(env_, -rc, "epoll_ctl");
  polling_ = true;
}

void Polled::Close() {
  if (closed_) return;
  Pause();
  closed_ = true;
  Release();
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), OnClosed);
  close(fd_);
}

void Polled::Call(const Napi::FunctionReference& callback, size_t count,
                  const napi_value* arguments) const {
  const napi_status status =
      napi_make_callback(env_, nullptr, env_.Global(), callback.Value(), count,
                         arguments, nullptr);
  napi_value thrown;
  if (status == napi_pending_exception &&
      napi_get_and_clear_last_exception(env_, &thrown) == napi_ok) {
    napi_fatal_exception(env_, thrown);  // becomes an 'uncaughtException'
  }
}

void Polled::OnPoll(uv_poll_t* poll, int status, int) {
  Polled* polled = From(poll->data);
  const Napi::HandleScope scope(polled->env_);
  if (status < 0) polled->polling_ = false;  // libuv has stopped polling
  polled->OnReadable(status < 0 ? -status : 0);
}

void Polled::OnTeardown(napi_async_cleanup_hook_handle, void* data) {
  From(data)->Close();
}

void Polled::OnClosed(uv_handle_t* handle) {
  Polled* polled = From(handle->data);
  napi_remove_async_cleanup_hook(polled->teardown_);
  polled->self_.reset();
}
