#pragma once

#include <napi.h>

#include <memory>

/** Work that may hang for ever, and what becomes of it in JavaScript. */
class Errand {
 public:
  virtual ~Errand() = default;
  /** On a thread of its own, which ends afterwards. It must not throw. */
  virtual void Run() = 0;
  /** On the thread of JavaScript, when Run() has returned. */
  virtual void Settle(Napi::Env env) = 0;
};

/**
 * Runs an errand on a thread of its own. It is none of libuv's: four of those
 * that hang stop every file operation of Node, and the process does not end.
 * Nobody joins this one. While the errand is under way the event loop stays
 * alive; process.exit() does not wait for it. If the environment has ended
 * before Run() returns, Settle() is not called.
 *
 * Throws an OsError when no thread can be made.
 */
void RunOnOwnThread(Napi::Env env, std::unique_ptr<Errand> errand);
