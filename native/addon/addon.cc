#include "exports.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("listenOn", Napi::Function::New(env, ListenOn));
  exports.Set("acceptFrom", Napi::Function::New(env, AcceptFrom));
  exports.Set("openLoginLines", Napi::Function::New(env, OpenLoginLines));
  exports.Set("Outlet", OutletClass(env));
  exports.Set("ringAfter", Napi::Function::New(env, RingAfter));
  exports.Set("lockExclusively", Napi::Function::New(env, LockExclusively));
  exports.Set("hotpValues", Napi::Function::New(env, HotpValuesInto));
  exports.Set("readSmallFile", Napi::Function::New(env, ReadSmallFile));
  exports.Set("isSmallFileStill", Napi::Function::New(env, IsSmallFileStill));
  exports.Set("lookUpUser", Napi::Function::New(env, LookUpUser));
  exports.Set("lookUpUid", Napi::Function::New(env, LookUpUid));
  exports.Set("groupsOf", Napi::Function::New(env, GroupsOf));
  exports.Set("readFileAs", Napi::Function::New(env, ReadFileAs));
  exports.Set("readPlainFile", Napi::Function::New(env, ReadPlainFile));
  exports.Set("replaceFileAs", Napi::Function::New(env, ReplaceFileAs));
  exports.Set("createFileAs", Napi::Function::New(env, CreateFileAs));
  exports.Set("setFileAsideAs", Napi::Function::New(env, SetFileAsideAs));
  exports.Set("hardenProcess", Napi::Function::New(env, HardenProcess));
  return exports;
}

NODE_API_MODULE(pve_authenticator, Init)
