#pragma once

#include <napi.h>

// The functions that src/host declares,
// documents and guards: these have checked every argument before they call one.

Napi::Value ListenOn(const Napi::CallbackInfo& info);
Napi::Value AcceptFrom(const Napi::CallbackInfo& info);
Napi::Value OpenLoginLines(const Napi::CallbackInfo& info);
Napi::Function OutletClass(Napi::Env env);
void RingAfter(const Napi::CallbackInfo& info);
Napi::Value LockExclusively(const Napi::CallbackInfo& info);
void HotpValuesInto(const Napi::CallbackInfo& info);
Napi::Value ReadSmallFile(const Napi::CallbackInfo& info);
Napi::Value IsSmallFileStill(const Napi::CallbackInfo& info);
Napi::Value LookUpUser(const Napi::CallbackInfo& info);
Napi::Value LookUpUid(const Napi::CallbackInfo& info);
Napi::Value GroupsOf(const Napi::CallbackInfo& info);
Napi::Value ReadFileAs(const Napi::CallbackInfo& info);
Napi::Value ReadPlainFile(const Napi::CallbackInfo& info);
Napi::Value ReplaceFileAs(const Napi::CallbackInfo& info);
Napi::Value CreateFileAs(const Napi::CallbackInfo& info);
Napi::Value SetFileAsideAs(const Napi::CallbackInfo& info);
void HardenProcess(const Napi::CallbackInfo& info);
