#pragma once

#include <napi.h>

#include <memory>

/** Work that may hang for ever, with its result for JavaScript. */
class Errand {
 public:
  virtual ~Errand() = default;
  /** On a thread of its own, which ends afterwards. It must not throw. */
  virtual void Run() = 0;
  /** Called on the JavaScript thread after Run() has returned. */
  virtual void Settle(Napi::Env env) = 0;
};

/**
 * Runs an errand on a thread of its own. It is not one of libuv's: if the four
 * of those hang, Node's file operations stop, and the process cannot end. This
 * thread is never joined. While the errand is under way the event loop stays
 * alive; process.exit() does not wait for it. If the environment has ended
 * before Run() returns, Settle() is not called.
 *
 * Throws an OsError when no thread can be made.
 */
void RunOnOwnThread(Napi::Env env, std::unique_ptr<Errand> errand);
